"""The Django application."""

from django.apps import AppConfig

__all__ = ["BoardConfig"]


class BoardConfig(AppConfig):
    """Discussion board."""

    name = "board"

    def ready(self) -> None:
        """Connect the signals."""
        from board import publishing as publishing
