"""Test typed WebSocket consumers on any ASGI application."""

from chanx.core import _guard as _guard
from chanx.testing.communicator import WebsocketCommunicator, WebsocketCommunicatorMixin
from chanx.testing.socket import ConnectionClosed, WebsocketConnection

__all__ = ["ConnectionClosed", "WebsocketCommunicator", "WebsocketCommunicatorMixin", "WebsocketConnection"]
