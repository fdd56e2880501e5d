"""Putting a consumer at an address."""

import re
import sys
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Router, WebSocketRoute

from chanx.core import _guard as _guard
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer

if TYPE_CHECKING:
    from litestar import Litestar

__all__ = ["add_websocket_consumer"]


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
    """
    if not isinstance(app_or_router, Router | Starlette):
        _register(app_or_router, path, consumer, name or consumer.__name__)
        return
    router = app_or_router if isinstance(app_or_router, Router) else app_or_router.router
    prefix: str = getattr(router, "prefix", "")
    route = WebSocketRoute(prefix + path, consumer.as_asgi(), name=name or consumer.__name__)
    router.routes.append(route)
    _announce(router)


def _register(
    app: "Litestar", path: str, consumer: type[AsyncJsonWebsocketConsumer[Any]], name: str
) -> None:
    litestar: Any = sys.modules.get("litestar")
    if litestar is None or not isinstance(app, litestar.Litestar):
        raise TypeError(
            f"{app!r} is no application or router of FastAPI, Starlette or Litestar: "
            f"give your framework the ASGI application {consumer.__name__}.as_asgi()."
        )
    typed = re.sub(r"{(\w+)}", r"{\1:str}", path)  # there, every parameter has a converter
    app.register(litestar.asgi(typed, name=name, copy_scope=True)(consumer.as_asgi()))


def _announce(router: Router) -> None:
    """Tell a router of current FastAPI, which remembers the routes of the routers it includes."""
    announce = getattr(router, "_mark_routes_changed", None)
    if announce is not None:
        announce()
