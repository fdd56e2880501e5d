"""The consumer base class for FastAPI, Starlette, Litestar and any other ASGI application."""

from typing import Any, ClassVar

from fast_channels.exceptions import AcceptConnection, DenyConnection
from fast_channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer

from chanx.core import _guard as _guard
from chanx.core.layers import LayerTraits
from chanx.core.websocket import ChanxWebsocketConsumerMixin, ReceiveEvent
from chanx.fast_channels.consumer import AsyncJsonWebsocketConsumer as FastChannelsConsumer

__all__ = ["AsyncJsonWebsocketConsumer", "ReceiveEvent"]


# fast-channels annotates the alias as optional and `send()` once for events, once for frames.
class AsyncJsonWebsocketConsumer(  # type: ignore[misc]
    ChanxWebsocketConsumerMixin[ReceiveEvent],
    FastChannelsConsumer,
):
    """A typed WebSocket consumer on fast-channels.

    Channel layers come from fast-channels' registry. Without a layer under the alias `"default"` a
    consumer has none, and groups and events cannot be used.
    """

    channel_layer_alias: str | None = "default"
    get_channel_layer: ClassVar[Any] = staticmethod(get_channel_layer)
    accept_errors = (AcceptConnection,)
    deny_errors = (DenyConnection,)

    @classmethod
    def layer_aliases(cls) -> list[str]:
        """Return the registered aliases, for error messages."""
        return channel_layers.list_aliases()

    @classmethod
    def layer_traits(cls, layer: object) -> LayerTraits:
        """Return what the layers of fast-channels are known to do."""
        is_local = isinstance(layer, InMemoryChannelLayer)
        is_queue = (
            type(layer).__module__ == "fast_channels.layers.redis.core"
        )  # not imported: redis is an extra
        return LayerTraits(is_local=is_local, has_free_channels=is_local or is_queue)
