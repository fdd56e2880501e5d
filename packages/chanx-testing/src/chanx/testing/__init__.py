"""Test typed WebSocket consumers on any ASGI application."""

from chanx.core import _guard as _guard
from chanx.testing.capture import (
    CapturedBroadcastEvent,
    CapturedGroupMessage,
    CapturedSentEvent,
    CapturedTopicBroadcast,
    capture_broadcast_events,
    capture_group_messages,
    capture_sent_events,
    capture_topic_broadcasts,
)
from chanx.testing.channel_layer import FaultyChannelLayer
from chanx.testing.clock import Clock
from chanx.testing.collected import CollectedMessages
from chanx.testing.communicator import WebsocketCommunicator, WebsocketCommunicatorMixin
from chanx.testing.faults import ChannelFullError, Fault, LayerDownError
from chanx.testing.leaks import no_leaks
from chanx.testing.socket import ConnectionClosedError, WebsocketConnection

__all__ = [
    "CapturedBroadcastEvent",
    "CapturedGroupMessage",
    "CapturedSentEvent",
    "CapturedTopicBroadcast",
    "ChannelFullError",
    "Clock",
    "CollectedMessages",
    "ConnectionClosedError",
    "Fault",
    "FaultyChannelLayer",
    "LayerDownError",
    "WebsocketCommunicator",
    "WebsocketCommunicatorMixin",
    "WebsocketConnection",
    "capture_broadcast_events",
    "capture_group_messages",
    "capture_sent_events",
    "capture_topic_broadcasts",
    "no_leaks",
]
