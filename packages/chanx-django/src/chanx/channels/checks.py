"""What `manage.py check` says about a project's consumers."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import InMemoryChannelLayer, channel_layers
from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import module_has_submodule

from chanx.channels.access import RestrictedView
from chanx.channels.settings import settings_faults, unused_settings
from chanx.channels.utils.asgi import get_websocket_application
from chanx.channels.websocket import AsyncJsonWebsocketConsumer

if TYPE_CHECKING:
    from chanx.asyncapi import ConsumerRoute

__all__ = ["check_access", "check_consumers", "check_layers", "check_settings", "check_workers"]

_ACCESS_HINT = (
    "Set CHANX = {'ASYNCAPI_ACCESS': 'chanx.channels.access.staff_only'}, or a callable or permission classes of your "
    "own. If the document is meant to be public, add 'chanx.W007' to SILENCED_SYSTEM_CHECKS."
)
_PARAMETER = re.compile(r"{\w+}")
_LOGIN_MIDDLEWARE = "django.contrib.auth.middleware.LoginRequiredMiddleware"

_LAYER_HINT = (
    "Install it with: pip install \"chanx-django[redis]\", and set CHANNEL_LAYERS = {'default': "
    "{'BACKEND': 'channels_redis.pubsub.RedisPubSubChannelLayer', 'CONFIG': {'hosts': [...]}}}."
)


@register("chanx")
def check_settings(app_configs: Iterable[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say what is wrong with the dictionary CHANX."""
    given: object = getattr(settings, "CHANX", None) or {}
    faults = [Error(fault, id="chanx.E001") for fault in settings_faults(given)]
    unused = [Warning(text, hint="Remove it.", id="chanx.W009") for text in unused_settings(given)]
    return [*faults, *unused]


@register("chanx")
def check_layers(app_configs: Iterable[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say which consumers would find no channel layer."""
    return [problem for consumer in _consumers() for problem in _layer_problems(consumer)]


@register("chanx")
def check_consumers(app_configs: Iterable[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say which consumers no route leads to."""
    consumers = list(_consumers())
    if not consumers:
        return []
    if not getattr(settings, "ASGI_APPLICATION", None):
        hint = "Set it to the dotted path of the application in asgi.py."
        text = f"ASGI_APPLICATION is not set, so nothing serves {consumers[0].__name__}."
        return [Warning(text, hint=hint, id="chanx.W003")]
    return _unrouted(consumers)


@register("chanx")
def check_workers(app_configs: Iterable[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say that the processes of a server would not hear each other."""
    workers = os.environ.get("WEB_CONCURRENCY", "1")
    if not workers.isdecimal() or int(workers) < 2 or not _is_in_memory():
        return []
    text = (
        f"WEB_CONCURRENCY starts {workers} processes, but the default channel layer is in memory: "
    )
    text += "a broadcast reaches the clients of one process only."
    return [Warning(text, hint=_LAYER_HINT, id="chanx.W005")]


@register("chanx", deploy=True)
def check_deployment(app_configs: Iterable[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say that a layer in memory ends at the process, which in production is seldom enough."""
    if not _is_in_memory():
        return []
    text = (
        "The default channel layer is in memory: no other process, such as a job worker, sees it."
    )
    return [Warning(text, hint=_LAYER_HINT, id="chanx.W006")]


@register("chanx", Tags.security, deploy=True)
def check_access(app_configs: Iterable[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say that everyone can read the AsyncAPI document."""
    given: Any = getattr(settings, "CHANX", None) or {}
    if settings_faults(given) or given.get("ASYNCAPI_ACCESS") is not None:
        return []
    if not getattr(settings, "ROOT_URLCONF", None) or _LOGIN_MIDDLEWARE in settings.MIDDLEWARE:
        return []
    public = sorted({view.__name__ for view in _public_views(get_resolver().url_patterns)})
    if not public:
        return []
    text = f"ROOT_URLCONF routes {' and '.join(public)}, and CHANX['ASYNCAPI_ACCESS'] is not set: "
    text += "everyone can read the AsyncAPI document."
    return [Warning(text, hint=_ACCESS_HINT, id="chanx.W007")]


def _public_views(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[type[RestrictedView]]:
    """Yield the routed views of the document that only `ASYNCAPI_ACCESS` could restrict.

    One with a decorator or a mixin around `dispatch()` may well ask for a login.
    """
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _public_views(pattern.url_patterns)
            continue
        view: Any = getattr(pattern.callback, "view_class", None)
        is_plain = getattr(view, "dispatch", None) is RestrictedView.dispatch
        if is_plain and not hasattr(pattern.callback, "__wrapped__"):
            yield view


def _import_consumers() -> None:
    """Import what defines consumers: checks run in any order, and one without a route is imported by nobody.

    What cannot be imported has no consumer that works; who routes to it is told why.
    """
    with suppress(ImproperlyConfigured):
        get_websocket_application()
    for app in apps.get_app_configs():
        if app.module is not None and module_has_submodule(app.module, "consumers"):
            with suppress(Exception):
                import_module(f"{app.name}.consumers")


def _consumers() -> Iterator[type[AsyncJsonWebsocketConsumer[Any]]]:
    """Yield the consumers of the installed applications: classes with handlers that no other is made from."""
    _import_consumers()
    waiting: list[type[AsyncJsonWebsocketConsumer[Any]]] = (
        AsyncJsonWebsocketConsumer.__subclasses__()
    )
    while waiting:
        consumer = waiting.pop()
        below = consumer.__subclasses__()
        waiting += below
        if not below and _is_of_the_project(consumer):
            yield consumer


def _is_of_the_project(consumer: type[AsyncJsonWebsocketConsumer[Any]]) -> bool:
    module = consumer.__module__
    is_test = any(part.startswith(("test", "conftest")) for part in module.split("."))
    return not is_test and apps.get_containing_app_config(module) is not None


def _layer_problems(consumer: type[AsyncJsonWebsocketConsumer[Any]]) -> Iterator[CheckMessage]:
    alias = getattr(consumer, "channel_layer_alias", None)
    if not alias or alias in channel_layers.configs:
        return
    if alias != DEFAULT_CHANNEL_LAYER:
        known = ", ".join(map(repr, channel_layers.configs)) or "none"
        text = f"{consumer.__name__} uses the channel layer {alias!r}, which CHANNEL_LAYERS does not have."
        yield Error(text, hint=f"It has: {known}.", obj=consumer, id="chanx.E002")
    elif _needs_layer(consumer):
        text = f"{consumer.__name__} has groups or events, "
        text += (
            "and CHANNEL_LAYERS is empty: they reach the clients of one process only."
            if _uses_process_layer(consumer)
            else "but there is no default channel layer."
        )
        yield Warning(text, hint=_LAYER_HINT, obj=consumer, id="chanx.W002")


def _needs_layer(consumer: type[AsyncJsonWebsocketConsumer[Any]]) -> bool:
    names_groups = consumer.get_groups is not AsyncJsonWebsocketConsumer.get_groups
    spec = consumer.spec
    return bool(names_groups or consumer.groups or spec.extra_groups or spec.handlers.events)


def _uses_process_layer(consumer: type[AsyncJsonWebsocketConsumer[Any]]) -> bool:
    return not channel_layers.configs and not consumer.spec.layer.is_named


def _unrouted(consumers: list[type[AsyncJsonWebsocketConsumer[Any]]]) -> list[CheckMessage]:
    try:
        from chanx.channels.discovery import discover_routes
    except ImportError:  # the extra `asyncapi` is not installed
        return []
    try:
        routes = discover_routes()
    except ImproperlyConfigured as error:
        return [Error(f"ASGI_APPLICATION cannot be loaded: {error}", id="chanx.E003")]
    routed = {route.consumer for route in routes}
    hint = "Add it to the URLRouter of ASGI_APPLICATION, or remove it."
    return [
        *(
            Warning(
                f"No route leads to {consumer.__name__}.", hint=hint, obj=consumer, id="chanx.W004"
            )
            for consumer in consumers
            if consumer not in routed
        ),
        *_unreachable(routes),
    ]


def _unreachable(routes: "Iterable[ConsumerRoute]") -> Iterator[CheckMessage]:
    """Say which routes an earlier one of the same address hides."""
    first: dict[Any, ConsumerRoute] = {}
    for route in routes:
        shape = (
            _PARAMETER.sub("{}", route.address),
            tuple(parameter.kind for parameter in route.parameters),
        )
        winner = first.setdefault(shape, route)
        if winner is not route:
            text = f"{route.address} is routed twice: {winner.consumer.__name__} serves it, and "
            text += f"the route to {route.consumer.__name__} never matches."
            hint = "Remove one of the two routes, or give it another address."
            yield Warning(text, hint=hint, obj=route.consumer, id="chanx.W008")


def _is_in_memory() -> bool:
    """Tell whether the default layer ends at the process, without making one."""
    if not channel_layers.configs:
        return any(_needs_layer(consumer) for consumer in _consumers())
    backend: object = channel_layers.configs.get("default", {}).get("BACKEND")
    return backend == f"{InMemoryChannelLayer.__module__}.{InMemoryChannelLayer.__qualname__}"
