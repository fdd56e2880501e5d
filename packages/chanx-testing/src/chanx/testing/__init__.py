"""Test typed WebSocket consumers on any ASGI application."""

from chanx.core import _guard as _guard
from chanx.testing.communicator import WebsocketCommunicator, WebsocketCommunicatorMixin
from chanx.testing.socket import ConnectionClosedError, WebsocketConnection

__all__ = [
    "ConnectionClosedError",
    "WebsocketCommunicator",
    "WebsocketCommunicatorMixin",
    "WebsocketConnection",
]
