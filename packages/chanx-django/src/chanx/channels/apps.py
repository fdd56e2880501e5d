"""The Django application."""

from django.apps import AppConfig

__all__ = ["ChanxChannelsConfig"]


class ChanxChannelsConfig(AppConfig):
    """Registers checks and management commands under the label `chanx_channels`."""

    name = "chanx.channels"
    label = "chanx_channels"
    # Narrower than in Django, where it may also be a lazy translation.
    verbose_name: str = "Chanx"  # pyright: ignore[reportIncompatibleVariableOverride]

    def ready(self) -> None:
        """Register the checks."""
        from chanx.channels import checks as checks
