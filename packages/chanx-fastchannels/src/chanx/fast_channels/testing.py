"""Testing consumers of this integration; needs the extra `testing`."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from fast_channels.layers import channel_layers, register_channel_layer, unregister_channel_layer

try:
    from chanx.testing import WebsocketCommunicator as _WebsocketCommunicator
except ImportError as _error:
    raise ImportError('Testing needs: pip install "chanx-fastchannels[testing]"') from _error

__all__ = ["WebsocketCommunicator", "use_channel_layer"]


class WebsocketCommunicator(_WebsocketCommunicator):
    """One typed WebSocket to a FastAPI, Starlette or any other ASGI application."""


# Any: each library annotates its layers in its own way.
@contextmanager
def use_channel_layer(layer: Any, alias: str = "default") -> Generator[None]:
    """Let fast-channels find this layer under the alias, until the end of the `with` block."""
    before = channel_layers.get(alias)
    register_channel_layer(alias, layer)
    try:
        yield
    finally:
        if before is None:
            unregister_channel_layer(alias)
        else:
            register_channel_layer(alias, before)
