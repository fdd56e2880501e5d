"""Which consumers an application serves, and where."""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from inspect import getclosurevars, isfunction
from typing import Any

from starlette.routing import BaseRoute, Host, Mount, WebSocketRoute

from chanx.asyncapi import ConsumerRoute, DocumentOptions, Parameter
from chanx.asyncapi.discovery import Application, Target
from chanx.asyncapi.routes import Consumer, is_consumer

__all__ = ["application_options", "discover", "discover_routes"]

# What Starlette takes for a parameter: a name, and a converter or none.
_PARAMETER = re.compile(r"{([a-zA-Z_][a-zA-Z0-9_]*)(?::([a-zA-Z_][a-zA-Z0-9_]*))?}")


def discover_routes(app: Any) -> tuple[ConsumerRoute, ...]:
    """Return the consumers of an application or router with their whole addresses, in order of its routes.

    Looks into mounts, included routers and middleware that keeps what it wraps as `app`. Routes that serve anything
    but a consumer are left out.
    """
    return tuple(_route(path, consumer) for path, consumer in _served(app, ""))


def discover(target: Target) -> Application | None:
    """Tell the command line about an application; None for what is neither one nor a consumer."""
    if not any(hasattr(layer, "routes") or _consumer_of(layer) for layer in _layers(target.value)):
        return None
    options = DocumentOptions(**application_options(target.value))
    return Application(discover_routes(target.value), options)


def application_options(app: Any) -> dict[str, Any]:
    """Return what a FastAPI application says about itself; others say nothing."""
    title, version, description = (
        getattr(app, name, None) for name in ("title", "version", "description")
    )
    found = {"title": f"{title} AsyncAPI documentation" if title else None, "version": version}
    found["description"] = description
    return {name: value for name, value in found.items() if value and isinstance(value, str)}


def _route(path: str, consumer: Consumer) -> ConsumerRoute:
    route = ConsumerRoute(_PARAMETER.sub(r"{\1}", path), _parameters(path), consumer)
    if "fastapi" not in sys.modules:  # then no consumer has dependencies
        return route
    from chanx.fast_channels.requirements import requirements_of

    return replace(route, requirements=requirements_of(route))


def _parameters(path: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, kind or "str") for name, kind in _PARAMETER.findall(path))


# Any: whatever an application mounts.
def _served(app: Any, prefix: str) -> Iterator[tuple[str, Consumer]]:
    consumer = _consumer_of(app)
    if consumer is not None:
        yield f"{prefix}/", consumer  # a mounted application is reached behind a slash
    routed = next((layer for layer in _layers(app) if hasattr(layer, "routes")), None)
    if routed is not None:
        yield from _walk(routed.routes, prefix)


def _walk(routes: Iterable[BaseRoute], prefix: str) -> Iterator[tuple[str, Consumer]]:
    for route in routes:
        if isinstance(route, Mount):
            yield from _served(route if route.routes else route.app, prefix + route.path)
        elif isinstance(route, Host):
            yield from _served(route.app, prefix)
        elif isinstance(route, WebSocketRoute):
            consumer = _consumer_of(route.endpoint)
            if consumer is not None:
                yield prefix + route.path, consumer
        elif hasattr(route, "route_handler"):
            yield from _handled(route, prefix)
        else:
            yield from _walk(_included(route), prefix)


# Any: Litestar's routes, which are no Starlette ones.
def _handled(route: Any, prefix: str) -> Iterator[tuple[str, Consumer]]:
    """Yield what a handler of Litestar's `asgi()` serves: itself, or what its function hands connections on to."""
    function = getattr(route.route_handler, "fn", None)
    candidates = [function]
    if isfunction(function):
        variables = getclosurevars(function)
        candidates += [*variables.nonlocals.values(), *variables.globals.values()]
    found = (consumer for item in candidates if (consumer := _consumer_of(item)) is not None)
    consumer = next(found, None)
    if consumer is not None:
        yield prefix + route.path, consumer


def _included(route: BaseRoute) -> Iterator[BaseRoute]:
    """Yield what a router holds that current FastAPI keeps as one opaque route, with its prefix in the paths."""
    contexts = getattr(route, "effective_route_contexts", None)
    if contexts is not None:
        for context in contexts():
            yield context.starlette_route or context.original_route


def _consumer_of(endpoint: Any) -> Consumer | None:
    """Return the consumer class behind what `as_asgi()` returned."""
    for layer in _layers(endpoint):
        consumer = getattr(layer, "consumer_class", None)
        if is_consumer(consumer):
            return consumer
    return None


def _layers(app: Any) -> Iterator[Any]:
    """Yield an application and what its middleware wraps; an application that routes is the last."""
    while app is not None:
        yield app
        app = None if hasattr(app, "routes") else getattr(app, "app", None)
