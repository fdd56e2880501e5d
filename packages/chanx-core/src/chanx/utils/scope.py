"""Reading an ASGI scope the same way on every framework."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qs

from chanx.type_defs import Scope

__all__ = ["header", "path_param", "path_params", "query_params", "scope_user"]

_MISSING: Any = object()


def complete_scope(scope: Scope) -> Scope:
    """Return a copy in which `path_info`, `path_params` and `url_route` are all present.

    Django fills `url_route`, Starlette `path_params`; consumers that run on both may read either.
    """
    whole = dict(scope)
    whole.setdefault("path_info", whole.get("path", ""))
    params = path_params(whole)
    whole["path_params"] = params
    route = whole.get("url_route")
    if route is None:
        whole["url_route"] = {"args": (), "kwargs": params}
    return whole


def path_params(scope: Scope) -> dict[str, Any]:
    """Return the parameters of the path, whoever routed it."""
    route = cast("Mapping[str, Any]", scope.get("url_route") or {})
    return dict(route.get("kwargs") or scope.get("path_params") or {})


def path_param(scope: Scope, name: str, default: Any = _MISSING) -> Any:
    """Return one parameter of the path; KeyError names it when it is absent and has no default."""
    params = path_params(scope)
    if name in params:
        return params[name]
    if default is _MISSING:
        raise KeyError(f"No path parameter {name!r} in scope")
    return default


def query_params(scope: Scope) -> dict[str, list[str]]:
    """Return the query string as lists of values by name."""
    raw: bytes = scope.get("query_string") or b""
    return parse_qs(raw.decode("latin-1"), keep_blank_values=True)


def header(scope: Scope, name: str) -> str | None:
    """Return the first header of that (lower-case) name."""
    wanted = name.encode("latin-1")
    for key, value in scope.get("headers") or ():
        if key.lower() == wanted:
            return cast(bytes, value).decode("latin-1")
    return None


def scope_user(scope: Scope) -> Any:
    """Return the user that a middleware put into the scope, or None for nobody or an anonymous one."""
    user = scope.get("user")
    return None if getattr(user, "is_authenticated", True) is False else user
