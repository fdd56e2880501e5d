"""The Django application."""

from django.apps import AppConfig

__all__ = ["ChatConfig"]


class ChatConfig(AppConfig):
    """The room chat."""

    name = "chat"
