"""A typed chat on FastAPI."""
