"""Options of consumers from the Django settings."""

from collections.abc import Collection
from typing import cast

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from chanx.channels.settings import chanx_settings
from chanx.core import _guard as _guard
from chanx.core.config import Config
from chanx.core.origin import OriginPolicy, origin_host
from chanx.type_defs import Scope

__all__ = ["DjangoConfig", "allowed_hosts"]

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
    """Reads each option from `CHANX` when it is used."""

    allowed_origins: OriginPolicy = staticmethod(allowed_hosts)

    # Config declares attributes; read-only properties take their place because nothing ever assigns them.
    @property
    def send_completion(self) -> bool:  # type: ignore[override]
        """`SEND_COMPLETION`."""
        return cast(bool, chanx_settings.SEND_COMPLETION)

    @property
    def send_message_immediately(self) -> bool:  # type: ignore[override]
        """`SEND_MESSAGE_IMMEDIATELY`."""
        return cast(bool, chanx_settings.SEND_MESSAGE_IMMEDIATELY)

    @property
    def send_authentication_message(self) -> bool:  # type: ignore[override]
        """`SEND_AUTHENTICATION_MESSAGE`."""
        return cast(bool, chanx_settings.SEND_AUTHENTICATION_MESSAGE)

    @property
    def log_websocket_message(self) -> bool:  # type: ignore[override]
        """`LOG_WEBSOCKET_MESSAGE`."""
        return cast(bool, chanx_settings.LOG_WEBSOCKET_MESSAGE)

    @property
    def log_ignored_actions(self) -> Collection[str]:  # type: ignore[override]
        """`LOG_IGNORED_ACTIONS`."""
        return cast("Collection[str]", chanx_settings.LOG_IGNORED_ACTIONS)

    @property
    def camelize(self) -> bool:  # type: ignore[override]
        """`CAMELIZE`."""
        return cast(bool, chanx_settings.CAMELIZE)

    @property
    def discriminator_field(self) -> str:  # type: ignore[override]
        """`MESSAGE_ACTION_KEY`."""
        return cast(str, chanx_settings.MESSAGE_ACTION_KEY)
