"""Helpers of the Django integration."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chanx.channels.utils.asgi import get_websocket_application

if TYPE_CHECKING:
    from chanx.channels.utils.settings import override_chanx_settings

__all__ = ["get_websocket_application", "override_chanx_settings"]


def __getattr__(name: str) -> Any:
    # Late, because a server does not need Django's test framework.
    if name == "override_chanx_settings":
        return import_module("chanx.channels.utils.settings").override_chanx_settings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
