"""The helpers of `chanx.channels.utils.asgi`."""

from chanx.channels.utils.asgi import (
    get_websocket_application,
)
from chanx.core import _guard as _guard

__all__ = [
    "get_websocket_application",
]
