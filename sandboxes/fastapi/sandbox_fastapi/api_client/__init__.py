# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Clients of chanx FastAPI sandbox AsyncAPI documentation."""
