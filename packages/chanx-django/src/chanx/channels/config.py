"""Options of consumers from the Django settings."""

from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from chanx.channels.settings import chanx_settings
from chanx.core import _guard as _guard
from chanx.core.config import Config
from chanx.core.origin import OriginPolicy, origin_host
from chanx.type_defs import Scope

__all__ = ["DjangoConfig", "allowed_hosts"]

_SETTINGS = {
    "send_completion": "SEND_COMPLETION",
    "send_message_immediately": "SEND_MESSAGE_IMMEDIATELY",
    "send_authentication_message": "SEND_AUTHENTICATION_MESSAGE",
    "send_resync_message": "SEND_RESYNC_MESSAGE",
    "send_heartbeat": "SEND_HEARTBEAT",
    "log_websocket_message": "LOG_WEBSOCKET_MESSAGE",
    "log_ignored_actions": "LOG_IGNORED_ACTIONS",
    "camelize": "CAMELIZE",
    "discriminator_field": "MESSAGE_ACTION_KEY",
    "limits": "LIMITS",
}
_LOCAL_HOSTS = (".localhost", "127.0.0.1", "[::1]")


def allowed_hosts(origin: str, scope: Scope) -> bool:
    """Allow pages of the hosts in ALLOWED_HOSTS; with DEBUG and an empty list, of this machine, as Django does."""
    patterns = settings.ALLOWED_HOSTS or (_LOCAL_HOSTS if settings.DEBUG else ())
    host = origin_host(origin)
    if host is None:
        return False
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, patterns)


class DjangoConfig(Config):
    """Reads options from `CHANX` when they are used; those without a setting are the library's defaults."""

    allowed_origins: OriginPolicy = staticmethod(allowed_hosts)

    # Any: each option has a type of its own.
    def __getattribute__(self, name: str) -> Any:
        setting = _SETTINGS.get(name)
        return (
            super().__getattribute__(name) if setting is None else getattr(chanx_settings, setting)
        )
