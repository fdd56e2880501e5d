"""The consumer of `chanx.channels.websocket`."""

from chanx.channels.websocket import (
    AsyncJsonWebsocketConsumer,
    ReceiveEvent,
)
from chanx.core import _guard as _guard

__all__ = [
    "AsyncJsonWebsocketConsumer",
    "ReceiveEvent",
]
