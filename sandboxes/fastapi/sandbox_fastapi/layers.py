"""The channel layers of the sandbox, by alias: each application takes the one that fits it.

With a Redis URL all processes share them; without one they stay inside this process.
"""

from collections.abc import Mapping

from fast_channels.layers import BaseChannelLayer

from chanx.fast_channels.layers import (
    close_layers,
    memory_layer,
    pubsub_layer,
    queue_layer,
    register_layers,
)

__all__ = ["close_layers", "setup_layers"]

MINUTE = 60
HOUR = 60 * MINUTE


def setup_layers(redis_url: str | None) -> None:
    """Register every layer, replacing those of an earlier call."""
    layers = _within_this_process() if redis_url is None else _on_redis(redis_url)
    register_layers({"memory": memory_layer(), **layers})


def _on_redis(url: str) -> Mapping[str, BaseChannelLayer]:
    return {
        # At once, to whoever listens.
        "chat": pubsub_layer(url, prefix="chat"),
        # Kept for a listener that is slow.
        "queue": queue_layer(url, prefix="queue", expiry=15 * MINUTE, capacity=1000),
        # As chat, in a namespace of its own.
        "notifications": pubsub_layer(url, prefix="notifications"),
        # Many events, kept for long.
        "analytics": queue_layer(url, prefix="analytics", expiry=HOUR, capacity=5000),
    }


def _within_this_process() -> Mapping[str, BaseChannelLayer]:
    return {
        "chat": memory_layer(),
        "queue": memory_layer(expiry=15 * MINUTE, capacity=1000),
        "notifications": memory_layer(),
        "analytics": memory_layer(expiry=HOUR, capacity=5000),
    }
