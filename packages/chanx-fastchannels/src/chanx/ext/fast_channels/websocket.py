"""The consumer of `chanx.fast_channels.websocket`."""

from chanx.core import _guard as _guard
from chanx.fast_channels.websocket import (
    AsyncJsonWebsocketConsumer,
    ReceiveEvent,
)

__all__ = [
    "AsyncJsonWebsocketConsumer",
    "ReceiveEvent",
]
