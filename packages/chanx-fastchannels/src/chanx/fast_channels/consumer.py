"""The consumers of fast-channels, for what needs no typed messages: plain WebSockets and HTTP.

They are the library's own, with a few defects of it corrected here and nowhere else:

- `as_asgi(**initkwargs)` makes each instance with its arguments, which fast-channels 1.1 drops.
- `close(True)`, `send(close=True)` and `send_json(close=True)` close with 1000; there the boolean itself is the code,
  which no server can send.
- `send_headers()` and `send_response()` take the headers as a dictionary too, as documented.
- A `websocket.disconnect` without a code, which ASGI allows, is one with 1005.

The typed consumer is in `chanx.fast_channels.websocket`.
"""

from collections.abc import Mapping
from typing import Any, cast

from fast_channels import consumer as library
from fast_channels.type_defs import (
    ASGIReceiveCallable,
    ASGISendCallable,
    ChannelScope,
    WebSocketDisconnectEvent,
)

__all__ = [
    "AsyncConsumer",
    "AsyncHttpConsumer",
    "AsyncJsonWebsocketConsumer",
    "AsyncWebsocketConsumer",
]

Headers = list[tuple[bytes, bytes]] | Mapping[bytes, bytes]

# What ASGI says where a client left without a code.
_NO_STATUS = 1005


class ConsumerApplication:
    """An ASGI application that serves each connection by an instance of its own."""

    # Any: arguments of the user's own __init__().
    def __init__(self, consumer_class: type["AsyncConsumer"], initkwargs: dict[str, Any]) -> None:
        self.consumer_class = consumer_class
        self.consumer_initkwargs = initkwargs
        self.__name__: str = consumer_class.__name__  # frameworks name routes after it
        self.__doc__ = consumer_class.__doc__

    async def __call__(
        self, scope: ChannelScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Serve one connection."""
        await self.consumer_class(**self.consumer_initkwargs)(scope, receive, send)


class AsyncConsumer(library.AsyncConsumer):
    """Calls the method that the type of an event names, for ASGI events and layer messages alike."""

    # Any: ASGI frameworks annotate applications in their own ways, and arguments are the user's.
    @classmethod
    def as_asgi(cls, **initkwargs: Any) -> Any:
        """Return an ASGI application that makes an instance, with these arguments, for each connection."""
        return ConsumerApplication(cls, initkwargs)


class AsyncHttpConsumer(AsyncConsumer, library.AsyncHttpConsumer):
    """Answers one HTTP request in `handle()`."""

    async def send_headers(self, *, status: int = 200, headers: Headers | None = None) -> None:
        """Begin the response."""
        await super().send_headers(status=status, headers=_pairs(headers))

    async def send_response(
        self, status: int, body: bytes, *, headers: Headers | None = None
    ) -> None:
        """Send the whole response; call it once."""
        await super().send_response(status, body, headers=_pairs(headers))


class AsyncWebsocketConsumer(AsyncConsumer, library.AsyncWebsocketConsumer):
    """Serves one WebSocket frame by frame."""

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        """Close the connection; 1000 without a code."""
        await super().close(None if isinstance(code, bool) else code, reason)

    async def websocket_disconnect(self, message: WebSocketDisconnectEvent) -> None:
        """Leave the groups, and call `disconnect()`."""
        event = {"code": _NO_STATUS, **message}
        await super().websocket_disconnect(cast(WebSocketDisconnectEvent, event))


class AsyncJsonWebsocketConsumer(AsyncWebsocketConsumer, library.AsyncJsonWebsocketConsumer):
    """Serves one WebSocket whose frames are JSON of any shape."""


def _pairs(headers: Headers | None) -> list[tuple[bytes, bytes]] | None:
    return list(headers.items()) if isinstance(headers, Mapping) else headers
