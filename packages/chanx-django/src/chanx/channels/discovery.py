"""Which consumers a project serves, and where."""

import os
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import django
from channels.routing import ProtocolTypeRouter, URLRouter

from chanx.asyncapi import ConsumerRoute
from chanx.asyncapi.discovery import Application, Target
from chanx.asyncapi.routes import is_consumer
from chanx.channels.document import document_options
from chanx.channels.patterns import Address, address_of
from chanx.channels.utils.asgi import get_websocket_application, layers

__all__ = ["DjangoRouteDiscovery", "discover", "discover_routes"]

_ROOT = Address("/", ())


def discover_routes(application: Any | None = None) -> tuple[ConsumerRoute, ...]:
    """Return the consumers of an application with their whole addresses, in order of its routes.

    Without `application` it is what serves WebSockets in ASGI_APPLICATION. Looks into middleware and nested routers.
    Routes that serve anything but a consumer are left out.
    """
    if application is None:
        application = get_websocket_application()
    return tuple(_served(application, _ROOT))


class DjangoRouteDiscovery:
    """What `generate_asyncapi_schema --discovery-class` documents; override `discover_routes()` to change it."""

    def discover_routes(self) -> tuple[ConsumerRoute, ...]:
        """Return the consumers of ASGI_APPLICATION."""
        return discover_routes()


def discover(target: Target) -> Application | None:
    """Tell the command line about a project, named by its settings module or by its ASGI application."""
    if isinstance(target.value, ModuleType):
        if not hasattr(target.value, "ASGI_APPLICATION"):
            return None
        os.environ["DJANGO_SETTINGS_MODULE"] = target.name
        django.setup()
        return Application(discover_routes(), document_options())
    if not any(
        isinstance(layer, (ProtocolTypeRouter, URLRouter)) for layer in layers(target.value)
    ):
        return None
    return Application(discover_routes(target.value), document_options())


# Any: whatever a project routes to.
def _served(application: Any, address: Address) -> Iterator[ConsumerRoute]:
    for layer in layers(application):
        consumer = getattr(layer, "consumer_class", None)
        if is_consumer(consumer):
            yield ConsumerRoute(address.path, address.parameters, consumer)
            return
        if isinstance(layer, URLRouter):
            yield from _routed(layer, address)
            return
        mapping = getattr(layer, "application_mapping", None)
        if mapping is not None:
            yield from _served(mapping.get("websocket"), address)
            return


def _routed(router: URLRouter, address: Address) -> Iterator[ConsumerRoute]:
    for route in router.routes:
        pattern = getattr(route, "pattern", None)
        if pattern is not None:
            yield from _served(
                getattr(route, "callback", None), address.joined(address_of(pattern))
            )
