"""Topics in tests: subscribing, messages of topics, and captures of broadcasts."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar, Literal

import pytest
from asgiref.sync import sync_to_async
from pydantic import ValidationError

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.topic import Topic
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import CompleteMessage, PongMessage
from chanx.testing import (
    CapturedTopicBroadcast,
    WebsocketCommunicator,
    capture_topic_broadcasts,
)


class Say(BaseMessage):
    """Something said in a topic."""

    action: Literal["say"] = "say"
    payload: str


class Count(BaseMessage):
    """Asks for numbers."""

    action: Literal["count"] = "count"
    payload: int


class Number(BaseMessage):
    """A number."""

    action: Literal["number"] = "number"
    payload: int


class Sure(BaseMessage):
    """Asks the client."""

    action: Literal["sure"] = "sure"
    payload: str


class Yes(BaseMessage):
    """The client's decision."""

    action: Literal["yes"] = "yes"
    payload: bool


class News(BaseMessage):
    """An event."""

    action: Literal["news"] = "news"
    payload: str


class Layer:
    """Delivers nothing, and notes what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    async def new_channel(self, prefix: str = "") -> str:
        """Name a channel."""
        return "mine"

    async def send(self, channel: str, message: Any) -> None:
        """Take it."""

    async def receive(self, channel: str) -> Any:
        """Wait for ever."""
        await asyncio.Event().wait()

    async def group_add(self, group: str, channel: str) -> None:
        """Take no members."""

    async def group_discard(self, group: str, channel: str) -> None:
        """Take no members."""

    async def group_send(self, group: str, message: Any) -> None:
        """Note."""
        self.sent.append((message["topic"], message["event_data"]["payload"]))


def layer_of_the_test(alias: str) -> Layer:
    """Return it under every alias."""
    return Hub.layer


class RoomTopic(Topic[News]):
    """A room."""

    pattern = "room:{pk}"
    emits: ClassVar[Any] = [Sure]

    async def authorize(self, pk: int) -> bool:
        """Allow small numbers."""
        return pk < 10

    @ws_handler
    async def say(self, message: Say) -> Say:
        """Say it back, and tell the others."""
        await self.broadcast(News(payload=message.payload), seq=3)
        return message

    @ws_handler
    async def count(self, message: Count) -> AsyncIterator[Number]:
        """Count, once the client is sure."""
        if (await self.request(Sure(payload="?"), Yes)).payload:
            for number in range(message.payload):
                yield Number(payload=number)

    @event_handler
    async def news(self, event: News) -> News:
        """Pass it on."""
        return event


class SubTopic(RoomTopic):
    """Another room."""

    pattern = "sub:{pk}"


class OtherTopic(Topic[News]):
    """A topic that no consumer has."""

    pattern = "other"


class Hub(ChanxWebsocketConsumerMixin[Any]):
    """Has topics."""

    topics: ClassVar[Any] = [RoomTopic, SubTopic]
    layer: ClassVar[Layer] = Layer()
    get_channel_layer: ClassVar[Any] = staticmethod(layer_of_the_test)

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        return PongMessage()


@pytest.fixture(autouse=True)
def fresh_layer() -> None:
    """Begin with nothing sent."""
    Hub.layer = Layer()


def connect(consumer: Any = Hub) -> WebsocketCommunicator:
    """Make a connection."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await consumer()(scope, receive, send)

    return WebsocketCommunicator(application, "/ws", consumer=consumer)


class Renamed(Hub):
    """Has other names on the wire."""

    discriminator_field = "type"
    control_actions: ClassVar[Any] = {"subscribe": "enter", "unsubscribe": "exit"}


@pytest.mark.parametrize(("consumer", "field"), [(Hub, "action"), (Renamed, "type")])
async def test_subscribing_returns_the_frame(consumer: Any, field: str) -> None:
    """A confirmation or an error, in the consumer's wire format."""
    async with connect(consumer) as ws:
        assert await ws.subscribe("room:1") == {
            field: "subscribed",
            "payload": None,
            "version": 1,
            "topic": "room:1",
            "ref": "1",
        }
        refused = await ws.subscribe("room:11", ref="x")
        assert (refused["payload"]["reason"], refused["ref"]) == ("unauthorized", "x")
        left = await ws.unsubscribe("room:1", ref=None)
        assert left == {field: "unsubscribed", "payload": None, "version": 1, "topic": "room:1"}


async def test_messages_go_to_a_topic_and_come_from_it() -> None:
    """Requests, streams and requests of the server; those of the consumer stay apart."""
    async with connect() as ws:
        await ws.subscribe("room:1")
        assert await ws.request(Say(payload="a"), Say, topic="room:1") == Say(payload="a")
        async with ws.stream(Count(payload=2), topic="room:1", window=1) as items:
            assert (await ws.answer(Sure, Yes(payload=True), topic="room:1")).payload == "?"
            assert [item async for item in items] == [Number(payload=0), Number(payload=1)]
            assert items.end == CompleteMessage()
        async with ws.stream(Count(payload=0), topic="room:1") as items:
            await ws.answer(Sure, Yes(payload=False))
            assert [item async for item in items] == []
        with pytest.raises(TypeError, match="RoomTopic does not declare that it sends PongMessage"):
            await ws.request(Say(payload="a"), PongMessage, topic="room:1")
        await ws.send_message(PingMessage())
        await ws.send_message(Say(payload="b"), topic="room:1", ref="7")
        assert await ws.receive_topic_message(RoomTopic) == Say(payload="b")
        assert await ws.receive_message() == PongMessage()


async def test_a_topic_message_is_one_of_the_class() -> None:
    """Others are waited past, and what the class does not declare is no message of it."""
    async with connect() as ws:
        await ws.subscribe("room:1")
        await ws.subscribe("sub:1")
        await ws.send_message(Say(payload="room"), topic="room:1")
        await ws.send_message(Say(payload="sub"), topic="sub:1")
        assert await ws.receive_topic_message(SubTopic) == Say(payload="sub")
        assert await ws.expect(Say) == Say(payload="room")
        with pytest.raises(TimeoutError, match=r"a message of SubTopic within .*, but: nothing"):
            await ws.receive_topic_message(SubTopic, timeout=0.01)
        with pytest.raises(TypeError, match="OtherTopic is not among the topics of Hub"):
            await ws.receive_topic_message(OtherTopic)

    class LooseTopic(Topic[News]):
        """Sends what it does not declare."""

        pattern = "loose"

        async def on_subscribe(self) -> None:
            await self.send_message(Number(payload=1))

    class Loose(Hub):
        topics: ClassVar[Any] = [LooseTopic]

    async with connect(Loose) as ws:
        await ws.subscribe("loose")
        with pytest.raises(ValidationError, match="number"):
            await ws.receive_topic_message(LooseTopic)


# Captures


@pytest.mark.parametrize("suppress", [True, False])
async def test_broadcasts_are_captured(suppress: bool) -> None:
    """From anywhere, from a thread, and from inside a topic; also those of subclasses."""
    async with connect() as ws:
        await ws.subscribe("room:1")
        with capture_topic_broadcasts(RoomTopic, suppress=suppress) as captured:
            await RoomTopic.broadcast("room:2", News(payload="a"), seq=1)
            await sync_to_async(RoomTopic.broadcast_sync)("room:2", News(payload="b"))
            await ws.request(Say(payload="c"), Say, topic="room:1")
            await SubTopic.broadcast("sub:1", News(payload="d"))
    assert captured == [
        CapturedTopicBroadcast("room:2", News(payload="a"), 1),
        CapturedTopicBroadcast("room:2", News(payload="b"), None),
        CapturedTopicBroadcast("room:1", News(payload="c"), 3),
        CapturedTopicBroadcast("sub:1", News(payload="d"), None),
    ]
    sent = [(item.topic, item.event.payload) for item in captured]
    assert Hub.layer.sent == ([] if suppress else sent)


async def test_captures_nest_and_leave_nothing() -> None:
    """A capture of a subclass and one of its base class hear the same; then the classes are as they were."""
    before = [{**vars(kind)} for kind in (Topic, RoomTopic, SubTopic)]
    with (
        capture_topic_broadcasts(RoomTopic, suppress=False) as outer,
        capture_topic_broadcasts(RoomTopic) as inner,
        capture_topic_broadcasts(SubTopic) as sub,
    ):
        await SubTopic.broadcast("sub:1", News(payload="a"))
        await RoomTopic.broadcast("room:1", News(payload="b"))
    assert [item.topic for item in outer] == [item.topic for item in inner] == ["sub:1", "room:1"]
    assert [item.topic for item in sub] == ["sub:1"]
    for kind, attributes in zip((Topic, RoomTopic, SubTopic), before, strict=True):
        assert {**vars(kind)} == attributes
    await SubTopic.broadcast("sub:1", News(payload="c"))
    assert Hub.layer.sent == [("sub:1", "c")]


async def test_the_order_of_nested_captures_does_not_matter() -> None:
    """A capture of a base class hears what goes through one of a subclass that was made before it."""
    with (
        capture_topic_broadcasts(SubTopic, suppress=False) as sub,
        capture_topic_broadcasts(RoomTopic) as base,
    ):
        await SubTopic.broadcast("sub:1", News(payload="a"))
    assert len(sub) == len(base) == 1
    assert Hub.layer.sent == []


async def test_a_refused_broadcast_is_refused_under_a_capture() -> None:
    """A test must not pass with a name or an event that the class would refuse."""
    with capture_topic_broadcasts(RoomTopic) as captured:
        with pytest.raises(ValueError, match="no topic of RoomTopic"):
            await RoomTopic.broadcast("rooms:1", News(payload="a"))
        wrong: Any = Number(payload=1)
        with pytest.raises(TypeError, match="number"):
            await RoomTopic.broadcast("room:1", wrong)
    assert captured == []
