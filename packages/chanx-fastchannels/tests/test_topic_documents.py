"""The document of topics, held against what travels."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal

import pytest
from fast_channels.layers import (
    InMemoryChannelLayer,
    register_channel_layer,
    unregister_channel_layer,
)
from fastapi import FastAPI

from chanx.asyncapi import generate_document
from chanx.asyncapi.validation import validate_document
from chanx.asyncapi.validation._structure import schema_validator
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.history import History
from chanx.core.topic import Topic
from chanx.fast_channels.discovery import discover_routes
from chanx.fast_channels.routing import add_websocket_consumer
from chanx.fast_channels.testing import WebsocketCommunicator
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import PongMessage


class Reply(BaseMessage):
    action: Literal["reply"] = "reply"
    payload: str


class NewReply(BaseMessage):
    action: Literal["new_reply"] = "new_reply"
    payload: str


class Count(BaseMessage):
    action: Literal["count"] = "count"
    payload: int


class DiscussionTopic(Topic[NewReply]):
    pattern = "discussion:{pk}"

    async def authorize(self, pk: int) -> bool:
        return pk < 10

    @ws_handler
    async def reply(self, message: Reply) -> PongMessage:
        await self.broadcast(NewReply(payload=message.payload), seq=7)
        return PongMessage()

    @ws_handler
    async def count(self, message: Count) -> AsyncIterator[NewReply]:
        for number in range(message.payload):
            yield NewReply(payload=str(number))

    @event_handler
    async def new_reply(self, event: NewReply) -> NewReply:
        return event


class LogTopic(Topic[NewReply]):
    pattern = "log:{name}"
    history = History(size=10)

    @ws_handler
    async def reply(self, message: Reply) -> None:
        await self.broadcast(NewReply(payload=message.payload))

    @event_handler
    async def new_reply(self, event: NewReply) -> NewReply:
        return event


class HubConsumer(AsyncJsonWebsocketConsumer[Any]):
    topics = (DiscussionTopic, LogTopic)
    send_completion = True
    channel_layer_alias = "topic-documents"


application = FastAPI()
add_websocket_consumer(application, "/hub/", HubConsumer)


CHANNEL = "hub_discussion_topic"
LOG_CHANNEL = "hub_log_topic"
# What is sent, with the actions that come for it.
EXCHANGES: list[tuple[dict[str, Any], list[str]]] = [
    ({"action": "subscribe", "ref": "1"}, ["subscribed"]),
    ({"action": "subscribe", "topic": "discussion:11"}, ["error"]),
    ({"action": "subscribe", "topic": "discussion:x"}, ["error"]),
    (
        {"action": "reply", "payload": "hi", "ref": "2"},
        ["complete", "event_complete", "new_reply", "pong"],
    ),
    ({"action": "count", "payload": 2, "ref": "3"}, ["complete", "new_reply", "new_reply"]),
    ({"action": "reply", "payload": 3}, ["complete", "error"]),
    ({"action": "unsubscribe", "ref": "4"}, ["unsubscribed"]),
    ({"action": "reply", "payload": "hi", "ref": "5"}, ["error"]),
]


def schemas_of(document: dict[str, Any], direction: str, channel: str) -> dict[str, list[Any]]:
    """Return the schemas of what clients send, or receive, on the channel of a topic, by action."""
    found: dict[str, list[Any]] = {}
    for operation in document["operations"].values():
        if operation["channel"]["$ref"] != f"#/channels/{channel}":
            continue
        sent, reply = operation["messages"], operation.get("reply", {}).get("messages", [])
        references = sent if operation["action"] == direction else reply
        for key in {reference["$ref"] for reference in references}:
            component = document["components"]["messages"][key.rpartition("/")[2]]
            found.setdefault(component["name"], []).append(component["payload"])
    return found


def is_described(
    document: dict[str, Any], direction: str, frame: dict[str, Any], channel: str = CHANNEL
) -> bool:
    parts = {"components": document["components"]}
    return any(
        not list(schema_validator({**schema, **parts}).iter_errors(frame))
        for schema in schemas_of(document, direction, channel)[frame["action"]]
    )


@pytest.fixture(autouse=True)
def layer() -> Iterator[None]:
    register_channel_layer("topic-documents", InMemoryChannelLayer())
    yield
    unregister_channel_layer("topic-documents")


async def test_what_travels_is_what_is_described() -> None:
    document = generate_document(discover_routes(application))
    assert validate_document(document) == []
    assert list(document["channels"]) == [CHANNEL, LOG_CHANNEL]
    assert document["channels"][CHANNEL]["address"] == "/hub/"
    assert document["channels"][CHANNEL]["x-topic"]["pattern"] == "discussion:{pk}"

    async with WebsocketCommunicator(application, "/hub/", consumer=HubConsumer) as client:
        for sent, actions in EXCHANGES:
            frame = {"topic": "discussion:5", **sent}
            assert is_described(document, "receive", frame) == (sent.get("payload") != 3)
            await client.send_to(text_data=json.dumps(frame))
            received = [await client.receive_json_from() for _ in actions]
            assert sorted(item["action"] for item in received) == actions
            for item in received:
                assert is_described(document, "send", item), item


async def test_what_travels_of_a_history_is_what_is_described() -> None:
    """A cursor with what is confirmed and with each event; clients come back with it."""
    document = generate_document(discover_routes(application))
    described = document["channels"][LOG_CHANNEL]["x-topic"]["history"]
    assert described == {"size": 10, "seconds": 3600, "replay": 0}
    topic = {"topic": "log:a"}
    async with WebsocketCommunicator(application, "/hub/", consumer=HubConsumer) as client:

        async def receive(sent: dict[str, Any], *actions: str) -> list[dict[str, Any]]:
            assert is_described(document, "receive", {**topic, **sent}, LOG_CHANNEL)
            await client.send_to(text_data=json.dumps({**topic, **sent}))
            frames = [await client.receive_json_from() for _ in actions]
            assert sorted(frame["action"] for frame in frames) == [*actions]
            for frame in frames:
                assert is_described(document, "send", frame, LOG_CHANNEL), frame
            return frames

        await receive({"action": "subscribe", "ref": "1"}, "subscribed")
        frames = await receive(
            {"action": "reply", "payload": "hi"}, "complete", "event_complete", "new_reply"
        )
        (cursor,) = (frame["cursor"] for frame in frames if "cursor" in frame)
        await receive({"action": "unsubscribe"}, "unsubscribed")
        since = {"action": "subscribe", "payload": {"since": cursor}}
        (subscribed,) = await receive(since, "subscribed")
        assert subscribed["payload"] == {"recovered": True, "cursor": cursor}
        assert not is_described(document, "receive", {**topic, **since, "payload": 7}, LOG_CHANNEL)
