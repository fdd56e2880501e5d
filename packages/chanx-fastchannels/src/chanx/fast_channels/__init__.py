"""Typed WebSocket consumers for FastAPI, Starlette, Litestar and any other ASGI application.

What most applications need can be imported from here, in one line.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chanx.core import _guard as _guard

if TYPE_CHECKING:
    from chanx.core.authenticator import BaseAuthenticator
    from chanx.core.decorators import channel, event_handler, ws_handler
    from chanx.core.exceptions import DeniedError, MessageError
    from chanx.core.guards import Guard
    from chanx.core.limits import Limits
    from chanx.core.topic import Topic
    from chanx.fast_channels.layers import (
        close_layers,
        memory_layer,
        pubsub_layer,
        queue_layer,
        register_layers,
    )
    from chanx.fast_channels.routing import add_websocket_consumer
    from chanx.fast_channels.shutdown import draining
    from chanx.fast_channels.type_defs import AsyncAPIConfig
    from chanx.fast_channels.views import (
        asyncapi_client_js,
        asyncapi_docs,
        asyncapi_spec_json,
        asyncapi_spec_yaml,
    )
    from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
    from chanx.messages.base import BaseMessage
    from chanx.messages.incoming import PingMessage
    from chanx.messages.outgoing import PongMessage

__all__ = [
    "AsyncAPIConfig",
    "AsyncJsonWebsocketConsumer",
    "BaseAuthenticator",
    "BaseMessage",
    "DeniedError",
    "Guard",
    "Limits",
    "MessageError",
    "PingMessage",
    "PongMessage",
    "Topic",
    "add_websocket_consumer",
    "asyncapi_client_js",
    "asyncapi_docs",
    "asyncapi_spec_json",
    "asyncapi_spec_yaml",
    "channel",
    "close_layers",
    "draining",
    "event_handler",
    "memory_layer",
    "pubsub_layer",
    "queue_layer",
    "register_layers",
    "ws_handler",
]

# The module of each name. They are imported on access: the views need an extra, and these modules import this package.
_MODULES = {
    "AsyncAPIConfig": "chanx.fast_channels.type_defs",
    "AsyncJsonWebsocketConsumer": "chanx.fast_channels.websocket",
    "BaseAuthenticator": "chanx.core.authenticator",
    "BaseMessage": "chanx.messages.base",
    "DeniedError": "chanx.core.exceptions",
    "Guard": "chanx.core.guards",
    "Limits": "chanx.core.limits",
    "MessageError": "chanx.core.exceptions",
    "PingMessage": "chanx.messages.incoming",
    "PongMessage": "chanx.messages.outgoing",
    "Topic": "chanx.core.topic",
    "add_websocket_consumer": "chanx.fast_channels.routing",
    "asyncapi_client_js": "chanx.fast_channels.views",
    "asyncapi_docs": "chanx.fast_channels.views",
    "asyncapi_spec_json": "chanx.fast_channels.views",
    "asyncapi_spec_yaml": "chanx.fast_channels.views",
    "channel": "chanx.core.decorators",
    "close_layers": "chanx.fast_channels.layers",
    "draining": "chanx.fast_channels.shutdown",
    "event_handler": "chanx.core.decorators",
    "memory_layer": "chanx.fast_channels.layers",
    "pubsub_layer": "chanx.fast_channels.layers",
    "queue_layer": "chanx.fast_channels.layers",
    "register_layers": "chanx.fast_channels.layers",
    "ws_handler": "chanx.core.decorators",
}


# Any: each name has a type of its own.
def __getattr__(name: str) -> Any:
    """Import a public name on access."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
