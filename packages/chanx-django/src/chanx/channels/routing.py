"""Routes of WebSockets: Django's `path()` and `re_path()`, typed for what a URLRouter takes, and `include()`."""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from channels.routing import URLRouter
from django.urls import URLPattern
from django.urls import path as django_path
from django.urls import re_path as django_re_path

from chanx.core import _guard as _guard

__all__ = ["include", "path", "re_path"]

# Any: an ASGI application, as consumers' `as_asgi()` and URLRouter are; the two annotate themselves differently.
Application = Any


def path(
    route: str, view: Application, kwargs: Mapping[str, Any] | None = None, name: str = ""
) -> URLPattern:
    """Route a path to a consumer (`MyConsumer.as_asgi()`) or to a nested router (`include(...)`)."""
    return django_path(route, view, dict(kwargs or {}), name or None)


def re_path(
    route: str, view: Application, kwargs: Mapping[str, Any] | None = None, name: str = ""
) -> URLPattern:
    """Route a regular expression, as `path()` does a path."""
    return django_re_path(route, view, dict(kwargs or {}), name or None)


def include(router: URLRouter | ModuleType | str) -> URLRouter:
    """Return a router to nest: itself, or the `router` of a module or of a module's dotted name."""
    if isinstance(router, URLRouter):
        return router
    module = import_module(router) if isinstance(router, str) else router
    found = getattr(module, "router", None)
    if not isinstance(found, URLRouter):
        raise TypeError(f"{module.__name__} must hold a URLRouter named 'router' to be included.")
    return found
