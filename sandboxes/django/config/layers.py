"""The channel layer of the project."""

from typing import Any

__all__ = ["channel_layer"]


def channel_layer(redis_url: str) -> dict[str, Any]:
    """Return the layer's setting: shared by every process, or without a Redis URL, inside this one."""
    if not redis_url:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    return {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [redis_url], "prefix": "sandbox.django"},
    }
