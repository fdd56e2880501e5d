"""Which web pages may open a WebSocket: the defence against cross-site WebSocket hijacking.

Browsers send cookies with the handshake of any page and CORS does not apply to it, so the Origin header has to be
checked by the server (RFC 6455, section 10.2). A missing Origin is allowed: it is no browser.
"""

from collections.abc import Callable, Coroutine, Sequence
from functools import lru_cache
from inspect import isawaitable, iscoroutinefunction
from typing import Any
from urllib.parse import SplitResult, urlsplit

from chanx.type_defs import Scope
from chanx.utils.scope import header

__all__ = ["OriginPolicy", "is_allowed_origin", "origin_host", "same_host"]

OriginCheck = Callable[[str, Scope], bool]
OriginPolicy = Sequence[str] | OriginCheck | None
"""Patterns such as `https://*.example.com`, a callable of (origin, scope), or None to allow every origin.

A `*` stands for any characters except `/`. The origin `null` (a sandboxed frame, a file) is matched by the pattern
`null` only.
"""

MAX_ORIGIN_LENGTH = 512
"""In characters. A longer origin is refused: a host name has at most 253."""

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


# Any: whatever a class sets as its policy.
def check_policy(policy: Any, where: str) -> None:
    """Raise TypeError for a text in place of a list of them, and for an async function."""
    if isinstance(policy, str):
        raise TypeError(f"{where} must be a list, and is {policy!r}: write '[{policy!r}]'.")
    if iscoroutinefunction(policy) or iscoroutinefunction(getattr(policy, "__call__", None)):  # noqa: B004
        raise TypeError(f"{where}: {_async_check(policy)}")


def is_allowed_origin(policy: OriginPolicy, scope: Scope) -> bool:
    """Tell whether the handshake in `scope` may go on.

    Raises TypeError where the policy is an async function.
    """
    origins = [value for name, value in scope.get("headers") or () if name.lower() == b"origin"]
    if policy is None or not origins:
        return True
    if len(origins) > 1:
        return False  # no browser sends two, and a proxy may have looked at the other one
    origin = origins[0].decode("latin-1")
    if len(origin) > MAX_ORIGIN_LENGTH:
        return False
    if callable(policy):
        return _checked_answer(policy, policy(origin, scope))
    return any(_matches(pattern, origin.lower()) for pattern in policy)


# Any: whatever a function of the application answers.
def _checked_answer(check: OriginCheck, answer: Any) -> bool:
    """Return a callable's answer as a bool. An awaitable is always true, so it would allow every origin."""
    if not isawaitable(answer):
        return bool(answer)
    if isinstance(answer, Coroutine):
        answer.close()  # it would be reported as never awaited
    raise TypeError(f"allowed_origins: {_async_check(check)}")


def _async_check(check: object) -> str:
    name = getattr(check, "__qualname__", type(check).__qualname__)
    return (
        f"{name}() is async, and its answer is not awaited. "
        "Write it as a plain function: `def`, not `async def`."
    )


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


def _matches(pattern: str, origin: str) -> bool:
    """Match each part between slashes by itself: a `*` never stands for a `/`."""
    globs = _globs(pattern)
    if origin == "null":
        return globs == (("null",),)
    parts = origin.split("/")
    return len(parts) == len(globs) and all(map(_matches_glob, globs, parts))


@lru_cache(maxsize=256)
def _globs(pattern: str) -> tuple[tuple[str, ...], ...]:
    """Return, for each part of a pattern, the texts around its stars."""
    return tuple(tuple(part.split("*")) for part in pattern.lower().rstrip("/").split("/"))


def _matches_glob(literals: tuple[str, ...], text: str) -> bool:
    """Match without backtracking: what stands between two stars may always take the first place it finds.

    A regular expression tries every combination of places, and the client chooses the text.
    """
    first, *middle = literals
    if not middle:
        return text == first
    last = middle.pop()
    if not text.startswith(first) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for literal in middle:
        found = text.find(literal, position, end)
        if found < 0:
            return False
        position = found + len(literal)
    return position <= end
