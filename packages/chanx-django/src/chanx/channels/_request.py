"""The HTTP request that Django would have seen in place of a WebSocket handshake."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, cast

from django.core.handlers.asgi import ASGIRequest
from django.urls import ResolverMatch

from chanx.type_defs import Scope

__all__ = ["http_request"]

_SCHEMES = {"ws": "http", "wss": "https"}
_JSON = [(b"content-type", b"application/json")]


def http_request(scope: Scope, method: str, body: bytes = b"") -> ASGIRequest:
    """Make a request of a WebSocket's scope: query string, headers, cookies, session, user, peer, host and route.

    A body is JSON. Cross-site requests are not the request's to refuse: the origin of the handshake was checked.
    """
    request = ASGIRequest(_http_scope(scope, method, body), BytesIO(body))
    for name in ("session", "user"):
        if name in scope:
            setattr(request, name, scope[name])
    args, kwargs = route_arguments(scope)
    request.resolver_match = ResolverMatch(_unrouted, args, kwargs)
    # A handshake cannot carry a CSRF token, and SessionAuthentication asks for one unless told this.
    cast(Any, request)._dont_enforce_csrf_checks = True
    return request


def route_arguments(scope: Scope) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what the route captured of the path."""
    route = cast("Mapping[str, Any]", scope.get("url_route") or {})
    return tuple(cast("Sequence[Any]", route.get("args") or ())), dict(route.get("kwargs") or {})


def _http_scope(scope: Scope, method: str, body: bytes) -> dict[str, Any]:
    # A name with an underscore could pass for another that has a hyphen, which newer releases of Django leave out too.
    headers = [(name, value) for name, value in scope.get("headers") or () if b"_" not in name]
    headers += _JSON if body else []
    if body:
        headers.append((b"content-length", str(len(body)).encode()))
    # Servers pass on bytes that are not UTF-8, which Django would not decode.
    query = cast(bytes, scope.get("query_string") or b"").decode("latin-1")
    scheme = _SCHEMES.get(scope.get("scheme") or "ws", "http")
    return {
        **scope,
        "type": "http",
        "method": method.upper(),
        "scheme": scheme,
        "query_string": query,
        "headers": headers,
    }


def _unrouted() -> None:
    """Stand for the view in the resolver match: what the route leads to is a consumer."""
