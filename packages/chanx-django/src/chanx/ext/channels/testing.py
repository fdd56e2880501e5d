"""The communicators and test case of `chanx.channels.testing`."""

from chanx.channels.testing import (
    DjangoWebsocketCommunicator,
    WebsocketCommunicator,
    WebsocketTestCase,
    override_chanx_settings,
    use_channel_layer,
)
from chanx.core import _guard as _guard

__all__ = [
    "DjangoWebsocketCommunicator",
    "WebsocketCommunicator",
    "WebsocketTestCase",
    "override_chanx_settings",
    "use_channel_layer",
]
