"""Which web pages may open a WebSocket: the defence against cross-site WebSocket hijacking.

Browsers send cookies with the handshake of any page and CORS does not apply to it, so the Origin header has to be
checked by the server (RFC 6455, section 10.2). A missing Origin is allowed: it is no browser.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from chanx.core import _guard as _guard
from chanx.type_defs import Scope
from chanx.utils.scope import header

__all__ = ["OriginPolicy", "is_allowed_origin", "origin_host", "same_host"]

OriginCheck = Callable[[str, Scope], bool]
OriginPolicy = Sequence[str] | OriginCheck | None
"""Patterns such as `https://*.example.com`, a callable of (origin, scope), or None to allow every origin."""

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_allowed_origin(policy: OriginPolicy, scope: Scope) -> bool:
    """Tell whether the handshake in `scope` may go on."""
    origins = [value for name, value in scope.get("headers") or () if name.lower() == b"origin"]
    if policy is None or not origins:
        return True
    if len(origins) > 1:
        return False  # no browser sends two, and a proxy may have looked at the other one
    origin = origins[0].decode("latin-1")
    if callable(policy):
        return policy(origin, scope)
    return any(_pattern(pattern).fullmatch(origin.lower()) for pattern in policy)


def same_host(origin: str, scope: Scope) -> bool:
    """Allow pages of the host that the client connects to; ports are not compared on loopback."""
    page = _split(origin)
    host = _split(f"//{header(scope, 'host') or ''}")
    if page is None or host is None or not page.hostname or page.hostname != host.hostname:
        return False
    if page.hostname in _LOOPBACK:
        return True
    secure = scope.get("scheme") in ("wss", "https")
    own_port = host.port or (443 if secure else 80)
    # Behind a proxy that ends TLS the scheme is often unknown here, so a default port matches a default port.
    page_port = page.port or _DEFAULT_PORTS.get(page.scheme)
    return page_port == own_port or (page.port is None and host.port is None)


def origin_host(origin: str) -> str | None:
    """Return the host, with its port if it has one, of an Origin header; None for `null` and what is no origin."""
    parts = _split(origin)
    return parts.netloc or None if parts else None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return None if "@" in parts.netloc else parts  # neither an Origin nor a Host names a user


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    """A `*` stands for any characters of a host or port, never for a `/`."""
    literals = pattern.lower().rstrip("/").split("*")
    return re.compile("[^/]*".join(re.escape(literal) for literal in literals))
