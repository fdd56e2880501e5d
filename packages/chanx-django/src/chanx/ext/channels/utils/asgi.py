"""The helpers of `chanx.channels.utils.asgi`."""

from chanx.channels.utils.asgi import (
    get_websocket_application,
)

__all__ = [
    "get_websocket_application",
]
