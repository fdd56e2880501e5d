"""The Django application."""

from django.apps import AppConfig

__all__ = ["AssistantConfig"]


class AssistantConfig(AppConfig):
    """Assistant."""

    name = "assistant"
