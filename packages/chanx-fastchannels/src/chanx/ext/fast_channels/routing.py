"""The route helper of `chanx.fast_channels.routing`."""

from chanx.fast_channels.routing import (
    add_websocket_consumer,
)

__all__ = [
    "add_websocket_consumer",
]
