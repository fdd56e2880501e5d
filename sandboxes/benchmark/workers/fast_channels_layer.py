"""The channel layer of the peers on fast-channels."""

import os

from driver import Options
from fast_channels.layers import InMemoryChannelLayer, register_channel_layer
from fast_channels.layers.redis import RedisPubSubChannelLayer

__all__ = ["register_layer"]


def register_layer(options: Options) -> None:
    """Register the layer that the options ask for, as the default one."""
    if options.redis:
        # Processes that take turns on one server must not hear each other.
        layer = RedisPubSubChannelLayer(hosts=[options.redis], prefix=f"bench{os.getpid()}")
        register_channel_layer("default", layer)
    elif options.layer:
        register_channel_layer("default", InMemoryChannelLayer())
