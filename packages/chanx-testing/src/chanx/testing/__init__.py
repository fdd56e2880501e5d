"""Test typed WebSocket consumers on any ASGI application."""

from chanx.core import _guard as _guard
from chanx.testing.collected import CollectedMessages
from chanx.testing.communicator import WebsocketCommunicator, WebsocketCommunicatorMixin
from chanx.testing.socket import ConnectionClosedError, WebsocketConnection

__all__ = [
    "CollectedMessages",
    "ConnectionClosedError",
    "WebsocketCommunicator",
    "WebsocketCommunicatorMixin",
    "WebsocketConnection",
]
