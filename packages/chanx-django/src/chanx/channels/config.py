"""Options of consumers from the Django settings."""

from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from chanx.channels.settings import DEFAULTS, chanx_settings
from chanx.core.config import Config
from chanx.core.origin import OriginPolicy, origin_host, same_host
from chanx.type_defs import Scope
from chanx.utils.scope import header

__all__ = ["DjangoConfig", "allowed_hosts"]

# The setting of each option that has one.
_SETTINGS = {
    **{name: name.upper() for name in Config.__annotations__ if name.upper() in DEFAULTS},
    "discriminator_field": "MESSAGE_ACTION_KEY",
}
_LOCAL_HOSTS = (".localhost", "127.0.0.1", "[::1]")


def allowed_hosts(origin: str, scope: Scope) -> bool:
    """Allow pages of the hosts in ALLOWED_HOSTS; with DEBUG and an empty list, of this machine, as Django does.

    `*` says that any host may be served, not that the pages of any site may connect: it allows pages of the host that
    the client connects to.
    """
    patterns = settings.ALLOWED_HOSTS or (_LOCAL_HOSTS if settings.DEBUG else ())
    host = origin_host(origin)
    if host is None:
        return False
    if "*" in patterns and same_host(origin, _requested(scope)):
        return True
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, [one for one in patterns if one != "*"])


def _requested(scope: Scope) -> Scope:
    """Return the scope with the host that Django takes for the requested one."""
    forwarded = header(scope, "x-forwarded-host") if settings.USE_X_FORWARDED_HOST else None
    if forwarded is None:
        return scope
    others = [(name, value) for name, value in scope["headers"] if name.lower() != b"host"]
    return {**scope, "headers": [*others, (b"host", forwarded.encode("latin-1"))]}


class DjangoConfig(Config):
    """Reads options from `CHANX` when they are used; those without a setting are the library's defaults."""

    allowed_origins: OriginPolicy = staticmethod(allowed_hosts)

    # Any: each option has a type of its own.
    def __getattribute__(self, name: str) -> Any:
        setting = _SETTINGS.get(name)
        return (
            super().__getattribute__(name) if setting is None else getattr(chanx_settings, setting)
        )
