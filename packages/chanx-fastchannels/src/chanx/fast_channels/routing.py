"""Putting a consumer at an address."""

from typing import Any

from starlette.applications import Starlette
from starlette.routing import Router, WebSocketRoute

from chanx.core import _guard as _guard
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer

__all__ = ["add_websocket_consumer"]


def add_websocket_consumer(
    app_or_router: Starlette | Router,
    path: str,
    consumer: type[AsyncJsonWebsocketConsumer[Any]],
    *,
    name: str | None = None,
) -> None:
    """Serve the connections of one path by a consumer class.

    Takes a FastAPI or Starlette application of any supported version, a Router, or an APIRouter, whose own prefix is
    put in front of the path.
    """
    router = app_or_router if isinstance(app_or_router, Router) else app_or_router.router
    prefix: str = getattr(router, "prefix", "")
    route = WebSocketRoute(prefix + path, consumer.as_asgi(), name=name or consumer.__name__)
    router.routes.append(route)
    _announce(router)


def _announce(router: Router) -> None:
    """Tell a router of current FastAPI, which remembers the routes of the routers it includes."""
    announce = getattr(router, "_mark_routes_changed", None)
    if announce is not None:
        announce()
