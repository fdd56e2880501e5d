"""Routes of WebSockets: Django's `path()` and `re_path()`, typed for what a URLRouter takes, and `include()`."""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from channels.consumer import AsyncConsumer
from channels.routing import URLRouter
from django import urls

if TYPE_CHECKING:
    # What the stubs of Channels want in a URLRouter: a URLPattern whose view is an ASGI application.
    from channels.routing import _ExtendedURLPattern as Route  # pyright: ignore[reportPrivateUsage]

__all__ = ["include", "path", "re_path"]

# Any: an ASGI application, as consumers' `as_asgi()` and URLRouter are; the two annotate themselves differently.
Application = Any

# Any: Django's own annotations know views of HTTP only.
_django_path: Callable[..., Any] = urls.path
_django_re_path: Callable[..., Any] = urls.re_path


def path(
    route: str, view: Application, kwargs: Mapping[str, Any] | None = None, name: str = ""
) -> "Route":
    """Route a path to a consumer (`MyConsumer.as_asgi()`) or to a nested router (`include(...)`).

    Raises TypeError for a consumer without `as_asgi()`, ValueError for a route with a leading slash.
    """
    _check_route("path", route, view)
    pattern: Route = _django_path(route, view, dict(kwargs or {}), name or None)
    return pattern


def re_path(
    route: str, view: Application, kwargs: Mapping[str, Any] | None = None, name: str = ""
) -> "Route":
    """Route a regular expression, as `path()` does a path. Raises what `path()` raises."""
    _check_route("re_path", route, view)
    pattern: Route = _django_re_path(route, view, dict(kwargs or {}), name or None)
    return pattern


def _check_route(function: str, route: str, view: object) -> None:
    consumer = view if isinstance(view, type) else type(view)
    if issubclass(consumer, AsyncConsumer):
        raise TypeError(
            f"{function}({route!r}) takes an application, not a consumer: "
            f"write {consumer.__name__}.as_asgi()."
        )
    if route.removeprefix("^").startswith("/"):
        raise ValueError(
            f"{function}({route!r}) would match nothing, because Channels strips the leading slash: "
            f"write {route.replace('/', '', 1)!r}."
        )


def include(router: URLRouter | ModuleType | str) -> URLRouter:
    """Return a router to nest: itself, or the `router` of a module or of a module's dotted name."""
    if isinstance(router, URLRouter):
        return router
    module = import_module(router) if isinstance(router, str) else router
    found = getattr(module, "router", None)
    if not isinstance(found, URLRouter):
        raise TypeError(f"{module.__name__} must have a URLRouter named 'router' to be included.")
    return found
