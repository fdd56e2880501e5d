"""The communicators of `chanx.channels.testing`."""

from chanx.channels.testing import (
    WebsocketCommunicator,
)
from chanx.core import _guard as _guard

__all__ = [
    "WebsocketCommunicator",
]
