"""The helpers of `chanx.testing` under the path that the single package has; needs the extra `testing`."""

try:
    from chanx.testing import (
        CapturedBroadcastEvent,
        CapturedGroupMessage,
        CapturedSentEvent,
        CapturedTopicBroadcast,
        WebsocketCommunicatorMixin,
        capture_broadcast_events,
        capture_group_messages,
        capture_sent_events,
        capture_topic_broadcasts,
    )
except ModuleNotFoundError as _error:
    if _error.name != "chanx.testing":
        raise
    raise ImportError('chanx.core.testing needs: pip install "chanx-core[testing]"') from _error

__all__ = [
    "CapturedBroadcastEvent",
    "CapturedGroupMessage",
    "CapturedSentEvent",
    "CapturedTopicBroadcast",
    "WebsocketCommunicatorMixin",
    "capture_broadcast_events",
    "capture_group_messages",
    "capture_sent_events",
    "capture_topic_broadcasts",
]
