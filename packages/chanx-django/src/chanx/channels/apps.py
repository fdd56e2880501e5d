"""The Django application."""

from django.apps import AppConfig

__all__ = ["ChanxChannelsConfig"]


class ChanxChannelsConfig(AppConfig):
    """Registers checks and management commands under the label `chanx_channels`."""

    name = "chanx.channels"
    label = "chanx_channels"
    verbose_name: str = "Chanx"

    def ready(self) -> None:
        """Register the checks."""
        from chanx.channels import checks as checks
