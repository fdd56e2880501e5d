"""The channel layers of the sandbox, by alias.

With a Redis URL every worker process shares them; without one they stay inside this process.
"""

from fast_channels.layers import InMemoryChannelLayer, register_channel_layer
from fast_channels.layers.redis import RedisPubSubChannelLayer

__all__ = ["close_layers", "setup_layers"]

Layer = InMemoryChannelLayer | RedisPubSubChannelLayer

_layers: dict[str, Layer] = {}


def setup_layers(redis_url: str | None) -> None:
    """Register every layer, replacing those of an earlier call."""
    _register("chat", _pubsub(redis_url, prefix="sandbox.chat"))


async def close_layers() -> None:
    """Close the layers' connections; a layer that is used again opens new ones."""
    for layer in _layers.values():
        await layer.flush()


def _register(alias: str, layer: Layer) -> None:
    _layers[alias] = layer
    register_channel_layer(alias, layer)


def _pubsub(redis_url: str | None, *, prefix: str) -> Layer:
    if redis_url is None:
        return InMemoryChannelLayer()
    return RedisPubSubChannelLayer(hosts=[redis_url], prefix=prefix)
