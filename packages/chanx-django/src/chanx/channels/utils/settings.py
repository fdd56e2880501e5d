"""Other `CHANX` settings for a while, in tests."""

from typing import Any

from django.conf import settings
from django.test.utils import TestContextDecorator, override_settings

__all__ = ["override_chanx_settings", "settings_context"]


class override_chanx_settings(TestContextDecorator):  # noqa: N801 - as `override_settings` of Django
    """Replace the given `CHANX` settings and leave the others; a decorator or a context manager.

    It decorates functions, also async ones, and test case classes.
    """

    # Any: what settings may be.
    def __init__(self, **values: Any) -> None:
        super().__init__()
        self._values = values
        self._overrides: list[override_settings] = []

    def enable(self) -> None:
        """Begin."""
        current: dict[str, Any] = getattr(settings, "CHANX", None) or {}
        override = override_settings(CHANX={**current, **self._values})
        override.enable()
        self._overrides.append(override)

    def disable(self) -> None:
        """Return to the settings before."""
        self._overrides.pop().disable()


def settings_context(**values: Any) -> override_chanx_settings:
    """Replace the given `CHANX` settings in a `with` block."""
    return override_chanx_settings(**values)
