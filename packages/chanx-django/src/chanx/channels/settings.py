"""The `CHANX` setting of a Django project."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, cast

from django.conf import settings

from chanx.core import _guard as _guard

__all__ = ["DEFAULTS", "ChanxSettings", "chanx_settings"]

DEFAULTS: Mapping[str, Any] = {
    "MESSAGE_ACTION_KEY": "action",
    "SEND_COMPLETION": False,
    "SEND_MESSAGE_IMMEDIATELY": True,
    "SEND_AUTHENTICATION_MESSAGE": True,
    "CAMELIZE": False,
    "LOG_WEBSOCKET_MESSAGE": True,
    "LOG_IGNORED_ACTIONS": ["ping", "pong"],
    "WEBSOCKET_BASE_URL": None,
    "ASYNCAPI_TITLE": "AsyncAPI Documentation",
    "ASYNCAPI_DESCRIPTION": "",
    "ASYNCAPI_VERSION": "1.0.0",
    "ASYNCAPI_SERVER_URL": None,
    "ASYNCAPI_SERVER_PROTOCOL": None,
    "ASYNCAPI_SERVERS": None,  # AsyncAPI server objects by name, instead of the one of the address
    "ASYNCAPI_SECURITY_SCHEMES": None,  # AsyncAPI security schemes by name, beside those of authenticators
    "ASYNCAPI_SPEC_VERSION": "3.0.0",
}


class ChanxSettings:
    """The settings by attribute, read from the project's at each use, so that `override_settings` works."""

    @property
    def user_settings(self) -> Mapping[str, Any]:
        """What the project sets."""
        return cast("Mapping[str, Any]", getattr(settings, "CHANX", None) or {})

    # Any: each setting has a type of its own.
    def __getattr__(self, name: str) -> Any:
        if name not in DEFAULTS:
            close = get_close_matches(name, DEFAULTS)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise AttributeError(f"There is no CHANX setting {name!r}.{hint}")
        return self.user_settings.get(name, DEFAULTS[name])


chanx_settings = ChanxSettings()
