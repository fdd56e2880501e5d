"""The Django application."""

from django.apps import AppConfig

__all__ = ["ChatConfig"]


class ChatConfig(AppConfig):
    """Group chats and direct messages."""

    name = "chat"

    def ready(self) -> None:
        """Connect the signals."""
        from chat import publishing as publishing
