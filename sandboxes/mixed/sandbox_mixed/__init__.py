"""Django and FastAPI in one process: two frameworks, one room."""
