"""Channel layers: declaring an application's, and closing them."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fast_channels.layers import (
    BaseChannelLayer,
    InMemoryChannelLayer,
    channel_layers,
    register_channel_layer,
)

if TYPE_CHECKING:
    from fast_channels.layers.redis import RedisChannelLayer, RedisPubSubChannelLayer

__all__ = ["close_layers", "memory_layer", "pubsub_layer", "queue_layer", "register_layers"]

_REDIS_LAYERS = "fast_channels.layers.redis"
_DAY = 24 * 60 * 60


def memory_layer(
    *, expiry: float = 60, capacity: int = 100, group_expiry: int = _DAY
) -> InMemoryChannelLayer:
    """Make a layer within this process: for tests, and for what needs one process only.

    Messages wait for `expiry` seconds, at most `capacity` of them in a channel; a membership ends after `group_expiry`
    seconds unless it is renewed.
    """
    return InMemoryChannelLayer(expiry=expiry, capacity=capacity, group_expiry=group_expiry)


def pubsub_layer(*hosts: str, prefix: str = "asgi") -> "RedisPubSubChannelLayer":
    """Make a layer on Redis publish/subscribe: messages reach whoever listens at that moment.

    Several `hosts` (Redis URLs) share the channels between them. Layers with different prefixes do not hear each other.
    Options of redis-py's connections go into a URL: `redis://127.0.0.1/0?max_connections=50&socket_connect_timeout=2`.
    """
    layer: RedisPubSubChannelLayer = _redis_layers().RedisPubSubChannelLayer(
        hosts=_at_least_one(hosts), prefix=prefix
    )
    return layer


def queue_layer(
    *hosts: str,
    prefix: str = "asgi",
    expiry: int = 60,
    capacity: int = 100,
    group_expiry: int = _DAY,
) -> "RedisChannelLayer":
    """Make a layer on Redis queues: messages wait for a listener that is slow or away.

    They wait for `expiry` seconds, at most `capacity` of them in a channel; a membership ends after `group_expiry`
    seconds unless it is renewed. Hosts and prefix are as in `pubsub_layer()`.
    """
    layer: RedisChannelLayer = _redis_layers().RedisChannelLayer(
        hosts=_at_least_one(hosts),
        prefix=prefix,
        expiry=expiry,
        capacity=capacity,
        group_expiry=group_expiry,
    )
    return layer


def register_layers(layers: Mapping[str, BaseChannelLayer]) -> None:
    """Put each layer under its alias, in place of one that is there."""
    for alias, layer in layers.items():
        register_channel_layer(alias, layer)


async def close_layers() -> None:
    """Close the connections of every registered layer; call it when the application stops.

    Layers stay registered, and open new connections when they are used again. What waits in Redis stays there.
    """
    for alias in channel_layers.list_aliases():
        await _close(channel_layers[alias])


async def _close(layer: Any) -> None:
    redis: Any = sys.modules.get(_REDIS_LAYERS)
    if redis is not None and isinstance(layer, redis.RedisChannelLayer):
        await layer.close_pools()  # its flush() deletes what waits, that of other processes too
    elif redis is not None and isinstance(layer, redis.RedisPubSubChannelLayer):
        await layer.flush()  # closes the connections; there is nothing that waits
    elif hasattr(layer, "close"):
        await layer.close()


# Any: the module is there with the extra only.
def _redis_layers() -> Any:
    try:
        import fast_channels.layers.redis
    except ImportError as error:
        raise ImportError('Redis layers need: pip install "chanx-fastchannels[redis]"') from error
    return fast_channels.layers.redis


def _at_least_one(hosts: tuple[str, ...]) -> list[str]:
    if not hosts:
        raise TypeError("A Redis layer needs a host: write it like 'redis://127.0.0.1:6379/0'.")
    return list(hosts)
