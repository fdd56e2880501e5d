"""The Django application."""

from django.apps import AppConfig

__all__ = ["PagesConfig"]


class PagesConfig(AppConfig):
    """Pages."""

    name = "pages"
