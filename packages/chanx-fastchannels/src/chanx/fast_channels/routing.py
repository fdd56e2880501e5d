"""Putting a consumer at an address."""

import re
import sys
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Router, WebSocketRoute

from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer

if TYPE_CHECKING:
    from litestar import Litestar

__all__ = ["add_websocket_consumer"]

_PARAMETER_NAME = re.compile(r"{\w+")


def add_websocket_consumer(
    app_or_router: "Starlette | Router | Litestar",
    path: str,
    consumer: type[AsyncJsonWebsocketConsumer[Any]],
    *,
    name: str | None = None,
) -> None:
    """Serve the connections of one path by a consumer class.

    Takes a FastAPI, Starlette or Litestar application of any supported version, a Router, or an APIRouter, whose own
    prefix is put in front of the path. Parameters of the path are written as Starlette's: `{room}`, `{number:int}`.

    Raises TypeError for a router with dependencies, which FastAPI does not run for consumers, where the consumer does
    not say what it depends on, and for anything but a consumer class; ValueError for a path without a leading slash, or
    that has a WebSocket route already.
    """
    _check_consumer(path, consumer)
    if not isinstance(app_or_router, Router | Starlette):
        _register(app_or_router, path, consumer, name or consumer.__name__)
        return
    router = app_or_router if isinstance(app_or_router, Router) else app_or_router.router
    _check_dependencies(router, consumer)
    whole: str = getattr(router, "prefix", "") + path
    if not whole.startswith("/") or path[:1] not in ("/", ""):
        raise ValueError(
            f"The path {path!r} of {consumer.__name__} must start with '/': write '/{path}'."
        )
    _check_path(router, whole)
    route = WebSocketRoute(whole, consumer.as_asgi(), name=name or consumer.__name__)
    router.routes.append(route)
    _announce(router)


def _check_consumer(path: str, consumer: object) -> None:
    """Refuse what `as_asgi()` returns, and an instance, which would serve every connection."""
    if isinstance(consumer, type) and hasattr(consumer, "as_asgi"):
        return
    kind = type(consumer) if hasattr(consumer, "as_asgi") else None
    found: type | None = getattr(consumer, "consumer_class", kind)
    cure = f"write {found.__name__}" if found else "write the name of the class"
    raise TypeError(
        f"add_websocket_consumer() takes a consumer class for {path!r}, not {consumer!r}: {cure}."
    )


def _check_path(router: Router, path: str) -> None:
    """Refuse a path that an earlier route answers: this one would never be reached."""
    for route in router.routes:
        if isinstance(route, WebSocketRoute) and _shape(route.path) == _shape(path):
            raise ValueError(
                f"The path {path!r} is already served by {route.name}, and a second route would never match: "
                "give it another path."
            )


def _shape(path: str) -> str:
    """Return a path without the names of its parameters, which do not matter to what it matches."""
    return _PARAMETER_NAME.sub("{", path)


def _check_dependencies(router: Router, consumer: type[AsyncJsonWebsocketConsumer[Any]]) -> None:
    """Refuse to leave out silently what may be there to keep strangers away."""
    says_its_own = any(
        "dependencies" in vars(base)
        for base in consumer.__mro__
        if base is not AsyncJsonWebsocketConsumer
    )
    if getattr(router, "dependencies", None) and not says_its_own:
        raise TypeError(
            "FastAPI does not run the dependencies of a router or an application for consumers: write those that "
            f"{consumer.__name__} needs as its attribute 'dependencies = [Depends(...)]', and [] for none."
        )


def _register(
    app: "Litestar", path: str, consumer: type[AsyncJsonWebsocketConsumer[Any]], name: str
) -> None:
    litestar: Any = sys.modules.get("litestar")
    if litestar is None or not isinstance(app, litestar.Litestar):
        raise TypeError(
            f"{app!r} is not an application or router of FastAPI, Starlette or Litestar: "
            f"give your framework the ASGI application {consumer.__name__}.as_asgi()."
        )
    typed = re.sub(r"{(\w+)}", r"{\1:str}", path)  # there, every parameter has a converter
    app.register(litestar.asgi(typed, name=name, copy_scope=True)(consumer.as_asgi()))


def _announce(router: Router) -> None:
    """Tell a router of current FastAPI, which remembers the routes of the routers it includes."""
    announce = getattr(router, "_mark_routes_changed", None)
    if announce is not None:
        announce()
