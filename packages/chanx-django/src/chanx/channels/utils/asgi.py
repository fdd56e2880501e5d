"""Finding the applications that a project serves."""

from collections.abc import Iterator
from typing import Any

from channels.routing import URLRouter, get_default_application
from django.conf import settings

__all__ = ["get_websocket_application", "layers", "websocket_part"]

# Under these names middleware keeps what it wraps: Channels' own, and what follows Starlette's example.
_WRAPPED = ("inner", "app", "application")


# Any: an ASGI application.
def get_websocket_application() -> Any | None:
    """Return what serves WebSockets in ASGI_APPLICATION, its middleware included; None where nothing does."""
    if not getattr(settings, "ASGI_APPLICATION", None):
        return None
    return websocket_part(get_default_application())


# Any: an ASGI application.
def websocket_part(application: Any) -> Any | None:
    """Return what serves WebSockets in an application, its middleware included; None where nothing does."""
    for layer in layers(application):
        mapping = getattr(layer, "application_mapping", None)
        if mapping is not None:
            return mapping.get("websocket")
        if isinstance(layer, URLRouter):
            return application
    return None


def layers(application: Any) -> Iterator[Any]:
    """Yield an application, then what its middleware wraps, from outside to inside."""
    while application is not None:
        yield application
        names = (name for name in _WRAPPED if hasattr(application, name))
        application = getattr(application, next(names, ""), None)
