"""Clients in Python: a package of its own, which needs pydantic and websockets."""
