"""The consumer of `chanx.channels.websocket`."""

from chanx.channels.websocket import (
    AsyncJsonWebsocketConsumer,
    ReceiveEvent,
)

__all__ = [
    "AsyncJsonWebsocketConsumer",
    "ReceiveEvent",
]
