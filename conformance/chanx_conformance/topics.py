"""Topics: many typed channels on one socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, ClassVar, Literal

import pytest
from asgiref.sync import sync_to_async

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.exceptions import DeniedError, MessageError
from chanx.core.topic import Topic
from chanx.messages.base import BaseMessage
from chanx.testing import FaultyChannelLayer, WebsocketCommunicator
from chanx.type_defs import JSONObject
from chanx_conformance.consumers import Answering
from chanx_conformance.models import PONG, NewsEvent, SayMessage, WaitMessage, WordMessage
from chanx_conformance.suite import Consumer, Suite, until

__all__ = ["TopicTests"]


class CountMessage(BaseMessage):
    """Asks for numbers without an end."""

    action: Literal["count"] = "count"
    payload: None = None


class RoomTopic(Topic[NewsEvent]):
    """A room, for numbers below ten."""

    pattern = "room:{pk}"
    lifecycle: ClassVar[list[tuple[str, Any]]]

    async def authorize(self, pk: int) -> bool:
        """Allow, or fail, by number."""
        match pk:
            case 90:
                raise ValueError("secret")
            case 91:
                raise MessageError("full", "The room is full")
            case 92:
                raise DeniedError("nobody", "secret")
            case 93 | 94:
                Answering.entered.set()
                await Answering.gate.wait()
            case _:
                pass
        return pk < 10 or pk > 92

    async def on_subscribe(self) -> None:
        """Note it, or fail."""
        self.lifecycle.append(("on", self.params["pk"]))
        if self.params["pk"] == 95:
            raise ValueError("secret")

    async def on_unsubscribe(self) -> None:
        """Note it, or fail."""
        self.lifecycle.append(("off", self.params["pk"]))
        if self.params["pk"] == 96:
            raise ValueError("secret")

    @ws_handler
    async def say(self, message: SayMessage) -> SayMessage:
        """Say it back, and broadcast it unless it is quiet."""
        if message.payload == "fail":
            raise ValueError("secret")
        if message.payload == "refuse":
            raise MessageError("refused", "No")
        if message.payload.startswith("all"):
            await self.broadcast(NewsEvent(payload=message.payload), seq=7)
        if message.payload.startswith("others"):
            await self.broadcast(NewsEvent(payload=message.payload), exclude_current=True)
        return message

    @ws_handler(concurrent=True)
    async def wait(self, message: WaitMessage) -> WaitMessage:
        """Wait for the gate."""
        Answering.entered.set()
        await Answering.gate.wait()
        return message

    @ws_handler
    async def count(self, message: CountMessage) -> AsyncIterator[WordMessage]:
        """Count without an end."""
        try:
            number = 0
            while True:
                number += 1
                yield WordMessage(payload=number)
                await asyncio.sleep(0)
        finally:
            self.lifecycle.append(("counted", self.params["pk"]))

    @event_handler
    async def news(self, event: NewsEvent) -> SayMessage:
        """Pass it on."""
        return SayMessage(payload=event.payload)


class PlainTopic(Topic[NewsEvent]):
    """A topic without parameters, which passes events on as they are."""

    pattern = "plain"
    passthrough_events: ClassVar[Any] = [NewsEvent]


class Hub(Answering):
    """Has topics and a handler of its own."""

    topics: ClassVar[Any] = [RoomTopic, PlainTopic]


class HubHookByHook(Hub):
    """Does the same with hooks on the way."""

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        """Pass on."""
        await super().receive_json(content, **kwargs)

    async def handle_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        """Pass on."""
        await super().handle_json(content, **kwargs)

    async def send_json(self, content: dict[str, Any], close: bool = False) -> None:
        """Pass on."""
        await super().send_json(content, close)


ROUTES = pytest.mark.parametrize("handlers", [Hub, HubHookByHook], ids=["direct", "hooked"])


def frame(action: str, payload: Any, topic: str, ref: str | None = None, **more: Any) -> JSONObject:
    """Return a frame of a topic."""
    keys = (
        {"version": 1, "topic": topic}
        if ref is None
        else {"version": 1, "topic": topic, "ref": ref}
    )
    return {"action": action, "payload": payload, **keys, **more}


def refused(reason: str, detail: str, topic: str, ref: str | None = "1") -> JSONObject:
    """Return the error frame of a refused request about a topic."""
    return frame("error", {"reason": reason, "detail": detail}, topic, ref)


def subscribed(topic: str, ref: str | None = "1") -> JSONObject:
    """Return a confirmation."""
    return frame("subscribed", None, topic, ref)


def unsubscribed(topic: str, ref: str | None = "1") -> JSONObject:
    """Return the other confirmation."""
    return frame("unsubscribed", None, topic, ref)


class TopicTests(Suite):
    """Subscribing, messages and events of topics, and endings."""

    @pytest.fixture(autouse=True)
    def fresh_lifecycle(self) -> None:
        """Nothing has been noted yet."""
        RoomTopic.lifecycle = []

    async def send(self, ws: WebsocketCommunicator, action: str, **keys: Any) -> None:
        """Send a frame."""
        await ws.send_to(text_data=json.dumps({"action": action, **keys}))

    async def still_answers(self, ws: WebsocketCommunicator) -> None:
        """Expect the answer to a ping next."""
        await self.send(ws, "ping")
        assert await ws.receive_json_from() == PONG

    # Frames

    @ROUTES
    async def test_frames_are_as_documented(self, handlers: Consumer) -> None:
        """Down to the order of the keys."""
        async with self.connect(handlers) as ws:
            await self.send(ws, "subscribe", topic="room:1", ref="1")
            assert await ws.receive_from() == (
                '{"action":"subscribed","payload":null,"version":1,"topic":"room:1","ref":"1"}'
            )
            await self.send(ws, "say", payload="a", topic="room:1", ref="2")
            assert await ws.receive_from() == (
                '{"action":"say","payload":"a","version":1,"topic":"room:1","ref":"2"}'
            )
            await self.send(ws, "say", payload="a", topic="room:1")
            assert await ws.receive_from() == (
                '{"action":"say","payload":"a","version":1,"topic":"room:1"}'
            )
            await RoomTopic.broadcast("room:1", NewsEvent(payload="b"), seq=4)
            assert await ws.receive_from() == (
                '{"action":"say","payload":"b","version":1,"topic":"room:1","seq":4}'
            )
            await self.send(ws, "unsubscribe", topic="room:1", ref="3")
            assert await ws.receive_from() == (
                '{"action":"unsubscribed","payload":null,"version":1,"topic":"room:1","ref":"3"}'
            )

    @ROUTES
    async def test_requests_are_confirmed_again(self, handlers: Consumer) -> None:
        """Hooks run once."""
        async with self.connect(handlers) as ws:
            assert await ws.subscribe("room:1") == subscribed("room:1")
            assert await ws.subscribe("room:1", ref="2") == subscribed("room:1", "2")
            assert await ws.unsubscribe("room:1") == unsubscribed("room:1")
            assert await ws.unsubscribe("room:1", ref=None) == unsubscribed("room:1", None)
            assert RoomTopic.lifecycle == [("on", 1), ("off", 1)]

    @ROUTES
    @pytest.mark.parametrize(
        ("topic", "reason", "detail"),
        [
            ("nothing:1", "unknown_topic", "Unknown topic 'nothing:1'"),
            ("room:50", "unauthorized", "Not allowed to subscribe to 'room:50'"),
            ("room:92", "unauthorized", "Not allowed to subscribe to 'room:92'"),
            ("room:91", "full", "The room is full"),
            ("room:90", "unavailable", "Failed to subscribe to 'room:90'"),
        ],
    )
    async def test_refusals_say_why(
        self, handlers: Consumer, topic: str, reason: str, detail: str
    ) -> None:
        """Nothing of a failure's text is told, and the connection lives."""
        async with self.connect(handlers) as ws:
            assert await ws.subscribe(topic) == refused(reason, detail, topic)
            await self.send(ws, "say", payload="a", topic=topic, ref="2")
            assert await ws.receive_json_from() == refused(
                "not_subscribed", f"Not subscribed to {topic!r}", topic, "2"
            )
            await self.still_answers(ws)
        assert RoomTopic.lifecycle == []

    async def test_parameters_are_typed(self) -> None:
        """What does not fit is refused."""
        async with self.connect(Hub) as ws:
            answer = await ws.subscribe("room:x")
            assert answer["payload"]["reason"] == "invalid_topic"
            assert "pk" in answer["payload"]["detail"]
            await ws.subscribe("room:1")
        assert RoomTopic.lifecycle == [("on", 1), ("off", 1)]

    async def test_there_is_a_limit(self) -> None:
        """It counts topics that are open, and leaving one makes room."""
        async with self.connect(Hub, max_topics=2) as ws:
            await ws.subscribe("room:1")
            await ws.subscribe("room:2")
            assert await ws.subscribe("room:3") == refused(
                "too_many_topics", "At most 2 topics on one connection", "room:3"
            )
            assert await ws.subscribe("room:2") == subscribed("room:2")
            await ws.unsubscribe("room:1")
            assert await ws.subscribe("room:3") == subscribed("room:3")

    async def test_a_layer_that_is_down_is_unavailable(self) -> None:
        """The client is told, and nothing has begun."""
        layer = FaultyChannelLayer()
        with self.registered(layer):
            async with self.connect(Hub) as ws:
                with layer.down():
                    assert await ws.subscribe("room:1") == refused(
                        "unavailable", "Failed to subscribe to 'room:1'", "room:1"
                    )
                    await self.still_answers(ws)
        assert RoomTopic.lifecycle == []

    async def test_a_topic_is_left_while_the_layer_is_down(self) -> None:
        """The client need not care."""
        layer = FaultyChannelLayer()
        with self.registered(layer):
            async with self.connect(Hub) as ws:
                await ws.subscribe("room:1")
                with layer.down():
                    assert await ws.unsubscribe("room:1") == unsubscribed("room:1")
                    await self.still_answers(ws)
        assert RoomTopic.lifecycle == [("on", 1), ("off", 1)]

    # Hooks

    async def test_hooks_that_fail_leave_the_connection_alone(self) -> None:
        """The failure of `on_subscribe` is told behind the confirmation; the topic is left whatever happens."""
        async with self.connect(Hub) as ws:
            assert await ws.subscribe("room:95") == subscribed("room:95")
            assert (await ws.receive_json_from()) == refused(
                "unavailable", "Failed to subscribe to 'room:95'", "room:95", None
            )
            await ws.subscribe("room:96")
            assert await ws.unsubscribe("room:96") == unsubscribed("room:96")
            await self.still_answers(ws)
            await ws.subscribe("room:96")
            await ws.subscribe("room:2")
        assert sorted(number for what, number in RoomTopic.lifecycle if what == "off") == [
            2,
            95,
            96,
            96,
        ]

    @pytest.mark.parametrize("concurrency", [1, 8])
    async def test_a_topic_is_used_at_once(self, concurrency: int) -> None:
        """Frames sent right after the request wait for it."""
        async with self.connect(Hub, message_concurrency=concurrency) as ws:
            await self.send(ws, "subscribe", topic="room:93", ref="1")
            await self.send(ws, "say", payload="a", topic="room:93", ref="2")
            await Answering.entered.wait()
            Answering.gate.set()
            assert await ws.receive_json_from() == subscribed("room:93")
            assert await ws.receive_json_from() == frame("say", "a", "room:93", "2")

    async def test_concurrent_requests_run_hooks_once(self) -> None:
        """However many come at once."""
        async with self.connect(Hub, message_concurrency=8) as ws:
            for _ in range(4):
                await self.send(ws, "subscribe", topic="room:93")
            await Answering.entered.wait()
            Answering.gate.set()
            for _ in range(4):
                assert await ws.receive_json_from() == subscribed("room:93", None)
            for _ in range(4):
                await self.send(ws, "unsubscribe", topic="room:93")
            for _ in range(4):
                assert await ws.receive_json_from() == unsubscribed("room:93", None)
        assert RoomTopic.lifecycle == [("on", 93), ("off", 93)]

    async def test_disconnecting_during_authorization_leaves_nothing(self) -> None:
        """The hooks run both, or neither."""
        ws = self.connect(Hub)
        await ws.connect()
        await self.send(ws, "subscribe", topic="room:93")
        await Answering.entered.wait()
        leaving = asyncio.ensure_future(ws.disconnect())
        await asyncio.sleep(0)
        Answering.gate.set()
        await leaving
        assert RoomTopic.lifecycle in ([], [("on", 93), ("off", 93)])

    # Messages

    @ROUTES
    async def test_errors_of_handlers_name_the_topic(self, handlers: Consumer) -> None:
        """Application errors, failures, invalid messages and unknown actions."""
        async with self.connect(handlers) as ws:
            await ws.subscribe("room:1")
            await self.send(ws, "say", payload="refuse", topic="room:1", ref="2")
            items: list[JSONObject] = [{"type": "refused", "loc": [], "msg": "No"}]
            assert await ws.receive_json_from() == frame("error", items, "room:1", "2")
            await self.send(ws, "say", payload="fail", topic="room:1", ref="2")
            failed = {"detail": "Failed to process message for say"}
            assert await ws.receive_json_from() == frame("error", failed, "room:1", "2")
            for action in ("say", "ping", "nothing"):
                await self.send(ws, action, payload=3, topic="room:1", ref="2")
                answer = await ws.receive_json_from()
                assert (answer["action"], answer["topic"], answer["ref"]) == (
                    "error",
                    "room:1",
                    "2",
                )
            await self.still_answers(ws)

    @ROUTES
    async def test_unsubscribing_ends_the_streams_of_the_topic(self, handlers: Consumer) -> None:
        """Those of others go on."""
        async with self.connect(handlers) as ws:
            for topic in ("room:1", "room:2"):
                await ws.subscribe(topic)
                await self.send(ws, "count", topic=topic, ref=topic, window=1)
                assert await ws.receive_json_from() == frame("word", 1, topic, topic, seq=1)
            await self.send(ws, "unsubscribe", topic="room:1", ref="9")
            items: list[JSONObject] = [
                {"type": "unsubscribed", "loc": [], "msg": "The topic was given up"}
            ]
            assert await ws.receive_json_from() == frame("error", items, "room:1", "room:1")
            assert await ws.receive_json_from() == unsubscribed("room:1", "9")
            await self.send(ws, "more", payload=1, ref="room:2")
            assert await ws.receive_json_from() == frame("word", 2, "room:2", "room:2", seq=2)
            await self.send(ws, "cancel", ref="room:2")
            assert (await ws.receive_json_from())["payload"][0]["type"] == "cancelled"

    async def test_concurrent_handlers_of_topics_hold_nothing_up(self) -> None:
        """A handler that waits leaves the others to go on."""
        async with self.connect(Hub) as ws:
            await ws.subscribe("room:1")
            await self.send(ws, "wait", payload=1, topic="room:1", ref="2")
            await Answering.entered.wait()
            await self.still_answers(ws)
            Answering.gate.set()
            assert await ws.receive_json_from() == frame("wait", 1, "room:1", "2")

    # Events

    @ROUTES
    async def test_broadcasts_reach_subscribers(self, handlers: Consumer) -> None:
        """From a topic with or without its own client, from anywhere, and from a thread."""
        consumer = self.make(handlers, log_websocket_message=False)
        async with self.connect_to(consumer) as one, self.connect_to(consumer) as two:
            for ws in (one, two):
                await ws.subscribe("room:1")
                await ws.subscribe("plain")
            await self.send(one, "say", payload="all", topic="room:1", ref="2")
            got = [await one.receive_json_from() for _ in range(2)]
            everywhere = frame("say", "all", "room:1", seq=7)
            assert sorted(got, key=str) == sorted(
                [frame("say", "all", "room:1", "2"), everywhere], key=str
            )
            assert await two.receive_json_from() == everywhere
            await self.send(one, "say", payload="others", topic="room:1")
            assert await one.receive_json_from() == frame("say", "others", "room:1")
            assert await two.receive_json_from() == frame("say", "others", "room:1")
            await one.unsubscribe("room:1")
            await sync_to_async(RoomTopic.broadcast_sync)("room:1", NewsEvent(payload="b"))
            assert await two.receive_json_from() == frame("say", "b", "room:1")
            await PlainTopic.broadcast("plain", NewsEvent(payload="c"))
            for ws in (one, two):
                assert await ws.receive_json_from() == frame("news", "c", "plain")
                await ws.assert_nothing()

    async def test_wrong_broadcasts_raise(self) -> None:
        """Names of other patterns, and events that the class does not handle."""
        self.make(Hub)
        with pytest.raises(ValueError, match=r"'rooms:1' is no topic of RoomTopic"):
            await RoomTopic.broadcast("rooms:1", NewsEvent(payload="a"))
        wrong: Any = SayMessage(payload="a")
        with pytest.raises(TypeError, match="say"):
            await RoomTopic.broadcast("room:1", wrong)

    # Options

    async def test_completions_carry_the_topic(self) -> None:
        """That of messages and that of events."""
        async with self.connect(Hub, send_completion=True) as ws:
            await ws.subscribe("room:1")
            await self.send(ws, "say", payload="a", topic="room:1", ref="2")
            assert await ws.receive_json_from() == frame("say", "a", "room:1", "2")
            assert await ws.receive_json_from() == frame("complete", None, "room:1", "2")
            await RoomTopic.broadcast("room:1", NewsEvent(payload="b"))
            assert await ws.receive_json_from() == frame("say", "b", "room:1")
            assert await ws.receive_json_from() == frame("event_complete", None, "room:1")

    @ROUTES
    @pytest.mark.parametrize("immediately", [True, False])
    async def test_other_discriminators(self, handlers: Consumer, immediately: bool) -> None:
        """Topics use the consumer's."""
        async with self.connect(
            handlers, discriminator_field="kind", send_message_immediately=immediately
        ) as ws:
            assert (await ws.subscribe("room:1"))["kind"] == "subscribed"
            await ws.send_message(SayMessage(payload="a"), topic="room:1", ref="2")
            assert await ws.receive_json_from() == {
                "kind": "say",
                "payload": "a",
                "version": 1,
                "topic": "room:1",
                "ref": "2",
            }

    async def test_a_default_topic_needs_no_name(self) -> None:
        """Clients are subscribed when they connect; other topics may be named."""
        async with self.connect(Hub, default_topic=PlainTopic) as ws:
            assert await ws.receive_json_from() == subscribed("plain", None)
            await self.send(ws, "nothing", ref="2")
            answer = await ws.receive_json_from()
            assert (answer["action"], answer["topic"], answer["ref"]) == ("error", "plain", "2")
            assert await ws.subscribe("room:1") == subscribed("room:1")

    # Bad input

    @ROUTES
    @pytest.mark.parametrize(
        "text",
        [
            '{"action":"subscribe","topic":5,"ref":"2"}',
            '{"action":"subscribe","topic":["room:1"],"ref":"2"}',
            '{"action":"subscribe","topic":{"a":1},"ref":"2"}',
            '{"action":"subscribe","topic":true,"ref":"2"}',
            '{"action":"subscribe","topic":"","ref":"2"}',
            '{"action":"say","payload":"a","topic":0,"ref":"2"}',
            '{"action":"say","payload":"a","topic":"","ref":"2"}',
            f'{{"action":"subscribe","topic":"room:{"1" * 300}","ref":"2"}}',
            f'{{"action":"say","payload":"a","topic":"room:{"1" * 300}","ref":"2"}}',
        ],
    )
    async def test_what_is_no_name_is_refused(self, handlers: Consumer, text: str) -> None:
        """Whatever type it has, and however long it is."""
        async with self.connect(handlers) as ws:
            await ws.send_to(text_data=text)
            answer = await ws.receive_json_from()
            assert answer["payload"]["reason"] == "invalid_topic"
            assert answer["ref"] == "2"
            assert "topic" not in answer
            await self.still_answers(ws)

    @ROUTES
    @pytest.mark.parametrize(
        "text",
        [
            '{"action":"\\u0073ubscribe","topic":"room:1","ref":"1"}',
            '{"\\u0061ction":"subscribe","topic":"room:1","ref":"1"}',
            '{"action":"subscribe","\\u0074opic":"room:1","ref":"1"}',
            '{"action":"subscribe","topic":"\\u0072oom:1","ref":"1"}',
            '{"action":"subscribe","topic":"plain","topic":"room:1","ref":"1"}',
            '{"action":"say","topic":"room:1","action":"subscribe","ref":"1"}',
            '{"ref":"1","topic":"room:1","action":"subscribe","extra":{"topic":"plain"}}',
            '{"action":"subscribe","payload":{"topic":"plain"},"topic":"room:1","ref":"1"}',
        ],
    )
    async def test_however_it_is_spelled(self, handlers: Consumer, text: str) -> None:
        """Escapes, several keys of one name, and such names within: as a JSON parser reads it."""
        async with self.connect(handlers) as ws:
            await ws.send_to(text_data=text)
            assert await ws.receive_json_from() == subscribed("room:1")
            await self.send(ws, "say", payload="a", topic="room:1", ref="2")
            assert await ws.receive_json_from() == frame("say", "a", "room:1", "2")

    @ROUTES
    @pytest.mark.parametrize(
        "text",
        [
            '{"action":"subscribe","topic":"room:\\ud800"}',
            '{"action":"subscribe","topic":"room:\ud800"}',
            '{"action":"subscribe","topic":"room:\x00"}',
            '{"action":"subscribe","topic":"room:1"',
            '{"action":"subscribe","topic":"room:\\u0000"}',
            '{"action":"subscribe","topic":"room:1","version":2}',
            f'{{"action":"subscribe","topic":"room:1","ref":"{"r" * 65}"}}',
            f'{{"action":"say","payload":"a","topic":"room:1","ref":"{"r" * 65}"}}',
            '{"action":"subscribe","topic":null}',
            '{"action":"subscribe"}',
            '{"action":["subscribe"],"topic":"room:1"}',
        ],
    )
    async def test_what_cannot_be_read_is_an_error(self, handlers: Consumer, text: str) -> None:
        """One error frame, no subscription, and the connection lives."""
        async with self.connect(handlers) as ws:
            await ws.send_to(text_data=text)
            assert (await ws.receive_json_from())["action"] == "error"
            await self.still_answers(ws)
            await ws.assert_nothing()
        assert RoomTopic.lifecycle == []

    async def test_a_flood_of_requests_leaves_nothing(self) -> None:
        """Each is answered."""
        async with self.connect(Hub, max_topics=4, max_pending=512) as ws:
            for number in range(400):
                action = ("subscribe", "unsubscribe", "say")[number % 3]
                await self.send(ws, action, payload=None, topic=f"room:{number % 9}", ref="1")
            answers = [await ws.receive_json_from() for _ in range(400)]
            assert {answer["action"] for answer in answers} <= {
                "subscribed",
                "unsubscribed",
                "error",
            }
            await ws.assert_nothing()
        on = sorted(number for what, number in RoomTopic.lifecycle if what == "on")
        off = sorted(number for what, number in RoomTopic.lifecycle if what == "off")
        assert on == off

    # Endings

    async def test_ends_leave_every_topic(self) -> None:
        """However the connection ends."""
        ws = self.connect(Hub)
        await ws.connect()
        for number in range(3):
            await ws.subscribe(f"room:{number}")
        await ws.disconnect()
        await until(lambda: len(RoomTopic.lifecycle) == 6)
        assert sorted(RoomTopic.lifecycle[3:]) == [("off", 0), ("off", 1), ("off", 2)]
