"""The communicators and test case of `chanx.channels.testing`."""

from chanx.channels.testing import (
    DjangoWebsocketCommunicator,
    WebsocketCommunicator,
    WebsocketTestCase,
    override_chanx_settings,
    use_channel_layer,
)

__all__ = [
    "DjangoWebsocketCommunicator",
    "WebsocketCommunicator",
    "WebsocketTestCase",
    "override_chanx_settings",
    "use_channel_layer",
]
