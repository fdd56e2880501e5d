"""The communicator of `chanx.fast_channels.testing`."""

from chanx.fast_channels.testing import (
    WebsocketCommunicator,
    use_channel_layer,
)

__all__ = [
    "WebsocketCommunicator",
    "use_channel_layer",
]
