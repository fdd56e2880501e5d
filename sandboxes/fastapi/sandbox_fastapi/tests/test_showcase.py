"""The four consumers of the showcase, each on its layer, in memory and on Redis."""

from typing import Any

import pytest
from fast_channels.layers import InMemoryChannelLayer, channel_layers
from fast_channels.layers.redis import RedisChannelLayer, RedisPubSubChannelLayer

from chanx.constants import EVENT_ACTION_COMPLETE, GROUP_ACTION_COMPLETE
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.testing import WebsocketCommunicator
from sandbox_fastapi.apps.showcase.consumer import (
    AnalyticsConsumer,
    ChatConsumer,
    NotificationConsumer,
    ReliableChatConsumer,
    ShowcaseConsumer,
)
from sandbox_fastapi.apps.showcase.messages import (
    AnalyticsMessage,
    AnalyticsPayload,
    ChatMessage,
    ChatPayload,
    NotificationPayload,
    PublishNotificationMessage,
    SystemNoticeMessage,
    SystemNotify,
)
from sandbox_fastapi.layers import close_layers, setup_layers
from sandbox_fastapi.main import app

Consumer = type[ShowcaseConsumer]

CHAT = ChatMessage(payload=ChatPayload(message="hello"))
# Consumer, path, what a client sends, and what everybody gets of it.
PLACES: list[tuple[Consumer, str, BaseMessage, dict[str, Any]]] = [
    (ChatConsumer, "/ws/chat", CHAT, {"message": "💬 hello"}),
    (ReliableChatConsumer, "/ws/reliable", CHAT, {"message": "📬 hello"}),
    (
        NotificationConsumer,
        "/ws/notifications",
        PublishNotificationMessage(payload=NotificationPayload(message="hello", level="alert")),
        {"message": "hello", "level": "alert"},
    ),
    (
        AnalyticsConsumer,
        "/ws/analytics",
        AnalyticsMessage(payload=AnalyticsPayload(event="page.viewed", count=2)),
        {"event": "page.viewed", "count": 2},
    ),
]
each_place = pytest.mark.parametrize(
    ("consumer", "path", "message", "told"), PLACES, ids=[path[4:] for _, path, _, _ in PLACES]
)


def client(consumer: Consumer, path: str) -> WebsocketCommunicator:
    """Return a client that has yet to connect."""
    return WebsocketCommunicator(app, path, consumer=consumer)


async def joined(client: WebsocketCommunicator) -> None:
    """Wait until the client is in its group."""
    await client.send_message(PingMessage())
    await client.receive_all_messages()


async def told(client: WebsocketCommunicator, stop: str = GROUP_ACTION_COMPLETE) -> BaseMessage:
    """Return the next thing that a client is told."""
    (message,) = await client.receive_all_messages(stop_action=stop)
    return message


@pytest.mark.usefixtures("layers")
@each_place
async def test_everybody_is_told(
    consumer: Consumer, path: str, message: BaseMessage, told: dict[str, Any]
) -> None:
    """Sender and others, and only those of this place."""
    async with client(consumer, path) as ada:
        await joined(ada)
        async with client(consumer, path) as grace:
            await joined(grace)
            assert await next_notice(ada) == "Somebody joined"
            await ada.send_message(message)
            frames = [await next_told(ada), await next_told(grace)]

    assert [frame["is_current"] for frame in frames] == [True, False]
    for frame in frames:
        assert told.items() <= frame["payload"].items()


async def next_notice(client: WebsocketCommunicator) -> str:
    """Return the next notice of the server."""
    message = await told(client)
    assert isinstance(message, SystemNoticeMessage)
    return message.payload


async def next_told(client: WebsocketCommunicator) -> dict[str, Any]:
    """Return what a client is told next.

    Notices do not matter: on publish/subscribe the one of an earlier member may still reach a new one.
    """
    while True:
        frame: dict[str, Any] = await client.receive_json_from()
        if frame["action"] != "system_notice" and not frame["action"].endswith("complete"):
            return frame


@pytest.mark.usefixtures("layers")
@each_place
async def test_leaving_is_announced(
    consumer: Consumer, path: str, message: BaseMessage, told: dict[str, Any]
) -> None:
    """To the others."""
    async with client(consumer, path) as ada:
        await joined(ada)
        async with client(consumer, path) as grace:
            await joined(grace)
            assert await next_notice(ada) == "Somebody joined"

        assert await next_notice(ada) == "Somebody left"


@pytest.mark.usefixtures("layers")
async def test_events_reach_their_place_alone() -> None:
    """Each consumer class broadcasts on its own layer, to its own group."""
    async with (
        client(ChatConsumer, "/ws/chat") as chat,
        client(NotificationConsumer, "/ws/notifications") as notifications,
    ):
        await joined(chat)
        await joined(notifications)
        await NotificationConsumer.broadcast_event(SystemNotify(payload="for notifications"))
        await ChatConsumer.broadcast_event(SystemNotify(payload="for chat"))

        assert await told(chat, EVENT_ACTION_COMPLETE) == SystemNoticeMessage(payload="for chat")
        assert await told(notifications, EVENT_ACTION_COMPLETE) == SystemNoticeMessage(
            payload="for notifications"
        )


async def test_the_layers_are_what_they_are_said_to_be(redis_url: str) -> None:
    """Kinds, namespaces, and for how long and how many messages wait."""
    setup_layers(redis_url)
    layers: dict[str, Any] = {
        alias: channel_layers[alias] for alias in channel_layers.list_aliases()
    }
    await close_layers()
    setup_layers(None)
    in_memory: dict[str, Any] = {alias: channel_layers[alias] for alias in layers}

    assert {alias: type(layer) for alias, layer in layers.items()} == {
        "memory": InMemoryChannelLayer,
        "chat": RedisPubSubChannelLayer,
        "queue": RedisChannelLayer,
        "notifications": RedisPubSubChannelLayer,
        "analytics": RedisChannelLayer,
    }
    for found in (layers, in_memory):
        assert (found["queue"].expiry, found["queue"].capacity) == (900, 1000)
        assert (found["analytics"].expiry, found["analytics"].capacity) == (3600, 5000)
    assert {type(layer) for layer in in_memory.values()} == {InMemoryChannelLayer}


def test_what_is_not_logged() -> None:
    """Analytics events are too many to log each, in and out."""
    assert {"analytics", "analytics_recorded"} <= set(AnalyticsConsumer.log_ignored_actions)
    assert set(ChatConsumer.log_ignored_actions) == {"ping", "pong"}
