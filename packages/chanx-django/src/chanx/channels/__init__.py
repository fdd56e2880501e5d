"""Typed WebSocket consumers for Django Channels, and the Django application `chanx.channels`.

What most projects need can be imported from here, in one line.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chanx.core import _guard as _guard

if TYPE_CHECKING:
    from chanx.channels.authenticator import DjangoAuthenticator
    from chanx.channels.routing import include, path, re_path
    from chanx.channels.shutdown import drain, lifespan
    from chanx.channels.websocket import AsyncJsonWebsocketConsumer
    from chanx.core.authenticator import BaseAuthenticator
    from chanx.core.decorators import channel, event_handler, ws_handler
    from chanx.core.exceptions import DeniedError, MessageError
    from chanx.core.guards import Guard
    from chanx.core.limits import Limits
    from chanx.core.topic import Topic
    from chanx.messages.base import BaseMessage
    from chanx.messages.incoming import PingMessage
    from chanx.messages.outgoing import PongMessage

__all__ = [
    "AsyncJsonWebsocketConsumer",
    "BaseAuthenticator",
    "BaseMessage",
    "DeniedError",
    "DjangoAuthenticator",
    "Guard",
    "Limits",
    "MessageError",
    "PingMessage",
    "PongMessage",
    "Topic",
    "channel",
    "drain",
    "event_handler",
    "include",
    "lifespan",
    "path",
    "re_path",
    "ws_handler",
]

# The module of each name. They are imported on access: Django imports this package before its applications are ready.
_MODULES = {
    "AsyncJsonWebsocketConsumer": "chanx.channels.websocket",
    "BaseAuthenticator": "chanx.core.authenticator",
    "BaseMessage": "chanx.messages.base",
    "DeniedError": "chanx.core.exceptions",
    "DjangoAuthenticator": "chanx.channels.authenticator",
    "Guard": "chanx.core.guards",
    "Limits": "chanx.core.limits",
    "MessageError": "chanx.core.exceptions",
    "PingMessage": "chanx.messages.incoming",
    "PongMessage": "chanx.messages.outgoing",
    "Topic": "chanx.core.topic",
    "channel": "chanx.core.decorators",
    "drain": "chanx.channels.shutdown",
    "event_handler": "chanx.core.decorators",
    "include": "chanx.channels.routing",
    "lifespan": "chanx.channels.shutdown",
    "path": "chanx.channels.routing",
    "re_path": "chanx.channels.routing",
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
