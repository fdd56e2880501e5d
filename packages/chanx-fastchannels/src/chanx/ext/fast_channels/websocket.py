"""The consumer of `chanx.fast_channels.websocket`."""

from chanx.fast_channels.websocket import (
    AsyncJsonWebsocketConsumer,
    ReceiveEvent,
)

__all__ = [
    "AsyncJsonWebsocketConsumer",
    "ReceiveEvent",
]
