"""Topics over the life of a connection: requests, observers, the default topic, and every way to end."""

import asyncio
import json
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from chanx.core import drain
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.exceptions import DeniedError, MessageError
from chanx.core.guards import Guard
from chanx.core.health import snapshot
from chanx.core.observers import Observer, add_observer, remove_observer
from chanx.core.topic import Topic
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import WebsocketCommunicator
from chanx.testing.socket import Application
from chanx.type_defs import JSONObject
from chanx_conformance.consumers import Answering
from chanx_conformance.models import (
    PONG,
    ChatMessage,
    NewsEvent,
    SayMessage,
    WaitMessage,
    WordMessage,
)
from chanx_conformance.suite import Consumer, Suite, until

__all__ = ["TopicConnectionTests"]


class HallTopic(Topic[NewsEvent]):
    """A hall, for numbers below ten."""

    pattern = "hall:{pk}"
    emits: ClassVar[Any] = [SayMessage]
    lifecycle: ClassVar[list[str]] = []

    async def authorize(self, pk: int) -> bool:
        """Allow, say why not, or fail."""
        if pk == 90:
            raise ValueError("secret")
        if pk == 91:
            raise MessageError("full", "The hall is full")
        if pk == 93:
            Answering.entered.set()
            await Answering.gate.wait()
        return pk < 10 or pk == 93

    async def on_subscribe(self) -> None:
        """Note it."""
        self.lifecycle.append(f"on {self.topic}")

    async def on_unsubscribe(self) -> None:
        """Note it."""
        self.lifecycle.append(f"off {self.topic}")

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Ask the client for a word, and answer."""
        try:
            answer = await self.request(SayMessage(payload="?"), WordMessage)
        except BaseException as error:
            Answering.handled.append(type(error).__name__)
            raise
        Answering.handled.append(answer.payload)
        return PongMessage()

    @ws_handler
    async def say(self, message: SayMessage) -> SayMessage | None:
        """Close the connection, fail, or say it back."""
        match message.payload:
            case "close":
                await self.close(4321, "closed")
                return None
            case "fail":
                raise ValueError("secret")
            case _:
                return message

    @ws_handler
    async def chat(self, message: ChatMessage) -> ChatMessage:
        """Say it back."""
        return message

    @ws_handler(concurrent=True)
    async def wait(self, message: WaitMessage) -> WaitMessage:
        """Wait for the gate."""
        Answering.entered.set()
        await Answering.gate.wait()
        return message

    @ws_handler
    async def word(self, message: WordMessage) -> AsyncIterator[WordMessage]:
        """Count without an end."""
        number = message.payload
        while True:
            yield WordMessage(payload=number)
            number += 1

    @event_handler
    async def news(self, event: NewsEvent) -> SayMessage:
        """Pass it on, or fail."""
        if event.payload == "fail":
            raise ValueError("secret")
        return SayMessage(payload=event.payload)


class House(Answering):
    """Has the topic."""

    topics: ClassVar[Any] = [HallTopic]


class Even(Guard):
    """Allows even numbers."""

    # Any: the topic whose handler lists it.
    async def check(self, consumer: Any, message: BaseMessage) -> None:
        """Look at the parameters, which are also among those of the path."""
        assert consumer.url_params == consumer.params
        if consumer.params["pk"] % 2:
            raise DeniedError(detail="Odd")


class EvenTopic(Topic[Any]):
    """Has a guard."""

    pattern = "even:{pk}"

    async def authorize(self, pk: int) -> bool:
        """Allow."""
        return True

    @ws_handler(guards=[Even()])
    async def say(self, message: SayMessage) -> SayMessage:
        """Say it back."""
        return message


class Guarded(Answering):
    """Has the topic."""

    topics: ClassVar[Any] = [EvenTopic]


class Watching(Observer):
    """Notes what it learns, and of whom."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @contextmanager
    def on_message(self, consumer: Any, message: BaseMessage) -> Generator[None]:
        """Note the beginning and the end."""
        self.seen.append(("begin", message.action))
        yield
        self.seen.append(("end", message.action))

    def on_reply(self, consumer: Any, message: BaseMessage) -> None:
        """Note it."""
        self.seen.append(("reply", message.action))

    def on_error(self, consumer: Any, error: Exception, message: BaseMessage | None) -> None:
        """Note it."""
        self.seen.append((type(error).__name__, None if message is None else message.action))


def with_parameters(application: Any, **parameters: Any) -> Application:
    """Serve an application at a path with parameters."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        await application({**scope, "path_params": parameters}, receive, send)

    return serve


def holding(application: Any, text: str) -> Application:
    """Let a socket take no frame with a text before the gate opens."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        async def hold(event: Any) -> None:
            if text in event.get("text", ""):
                Answering.entered.set()
                await Answering.gate.wait()
            await send(event)

        await application(scope, receive, hold)

    return serve


class TopicConnectionTests(Suite):
    """What topics do while their connection lives, and what is left of them."""

    @pytest.fixture(autouse=True)
    def balance(self) -> Generator[None]:
        """Check that each subscription that has begun has ended, and that no group has members."""
        HallTopic.lifecycle.clear()
        yield
        began = sorted(text[3:] for text in HallTopic.lifecycle if text.startswith("on "))
        ended = sorted(text[4:] for text in HallTopic.lifecycle if text.startswith("off "))
        assert began == ended
        assert snapshot().groups == 0

    async def send(self, ws: WebsocketCommunicator, action: str, **keys: Any) -> None:
        """Send a frame."""
        await ws.send_to(text_data=json.dumps({"action": action, **keys}))

    # Requests of the server

    async def test_a_topic_asks_the_client(self) -> None:
        """The request names the topic, and so may the answer."""
        async with self.connect(House) as ws:
            await ws.subscribe("hall:1")
            for number, topic in enumerate(({"topic": "hall:1"}, {}), 1):
                await self.send(ws, "ping", topic="hall:1", ref="7")
                request = await ws.receive_json_from()
                assert request == {
                    "action": "say",
                    "payload": "?",
                    "version": 1,
                    "topic": "hall:1",
                    "ref": f"s.{number}",
                }
                await self.send(ws, "word", payload=number, ref=request["ref"], **topic)
                answer = await ws.receive_json_from()
                assert (answer["action"], answer["topic"], answer["ref"]) == ("pong", "hall:1", "7")
        assert Answering.handled == [1, 2]

    async def test_a_topic_that_asks_may_end(self) -> None:
        """With the connection: the handler is ended."""
        ws = self.connect(House, disconnect_grace=0)
        await ws.connect()
        await ws.subscribe("hall:1")
        await self.send(ws, "ping", topic="hall:1", ref="7")
        assert (await ws.receive_json_from())["ref"] == "s.1"
        await ws.disconnect()
        assert Answering.handled == ["CancelledError"]

    async def test_unsubscribing_waits_for_the_handler_that_asks(self) -> None:
        """Requests are handled in order, so the client may still answer."""
        async with self.connect(House) as ws:
            await ws.subscribe("hall:1")
            await self.send(ws, "ping", topic="hall:1", ref="7")
            await self.send(ws, "unsubscribe", topic="hall:1", ref="8")
            request = await ws.receive_json_from()
            await self.send(ws, "word", payload=1, topic="hall:1", ref=request["ref"])
            assert (await ws.receive_json_from())["action"] == "pong"
            assert (await ws.receive_json_from())["action"] == "unsubscribed"
        assert Answering.handled == [1]

    # Guards

    async def test_guards_see_the_topic(self) -> None:
        """They are asked before each of its messages, and their refusal names it."""
        async with self.connect(Guarded) as ws:
            topics = ("even:1", "even:2")
            for topic in topics:
                await ws.subscribe(topic)
            for topic in topics:
                await self.send(ws, "say", payload="a", topic=topic, ref="2")
            denied: JSONObject = {"type": "permission_denied", "loc": [], "msg": "Odd"}
            frames = [await ws.receive_json_from() for _ in range(2)]
            assert [(frame["topic"], frame["payload"]) for frame in frames] == [
                ("even:1", [denied]),
                ("even:2", "a"),
            ]

    # Order

    async def test_events_come_after_the_confirmation(self) -> None:
        """Those that are sent when the group is joined, and the client does not know it yet, too."""
        served: Any = self.make(House, log_websocket_message=False)
        slow = self.connect_to(served, application=holding(served.as_asgi(), '"subscribed"'))
        async with slow, self.connect_to(served) as other:
            await self.send(slow, "subscribe", topic="hall:1", ref="1")
            await Answering.entered.wait()
            await other.subscribe("hall:1")
            for text in ("a", "b"):
                await HallTopic.broadcast("hall:1", NewsEvent(payload=text))
                assert (await other.receive_json_from())["payload"] == text
            Answering.gate.set()
            frames = [await slow.receive_json_from() for _ in range(3)]
            await slow.assert_nothing()
        assert [frame["action"] for frame in frames] == ["subscribed", "say", "say"]
        assert [frame["payload"] for frame in frames] == [None, "a", "b"]

    # Options

    async def test_topics_are_written_as_the_consumer_writes(self) -> None:
        """In camel case, in both directions."""
        async with self.connect(House, camelize=True) as ws:
            await ws.subscribe("hall:1")
            payload: JSONObject = {"userName": "a", "extraData": {}}
            await self.send(ws, "chat", payload=payload, topic="hall:1", ref="2")
            assert await ws.receive_json_from() == {
                "action": "chat",
                "payload": payload,
                "version": 1,
                "topic": "hall:1",
                "ref": "2",
            }

    # Observers

    @pytest.fixture
    def seen(self) -> Generator[list[Any]]:
        """Watch the connections of one test."""
        watching = Watching()
        add_observer(watching)
        yield watching.seen
        remove_observer(watching)

    async def test_observers_see_messages_and_events_of_topics(self, seen: list[Any]) -> None:
        """As they see those of consumers."""
        async with self.connect(House) as ws:
            await ws.subscribe("hall:1")
            seen.clear()
            await self.send(ws, "say", payload="a", topic="hall:1", ref="2")
            await ws.idle()
            await HallTopic.broadcast("hall:1", NewsEvent(payload="b"))
            await ws.idle()
            expected = [("begin", "say"), ("reply", "say"), ("end", "say")]
            expected += [("begin", "news"), ("reply", "say"), ("end", "news")]
            assert seen == expected

    async def test_observers_learn_of_failures_of_topics(self, seen: list[Any]) -> None:
        """Of handlers, of events, of frames that are no messages, and of `authorize()`."""
        async with self.connect(House) as ws:
            await ws.subscribe("hall:1")
            await self.send(ws, "say", payload="fail", topic="hall:1", ref="2")
            await ws.idle()
            await HallTopic.broadcast("hall:1", NewsEvent(payload="fail"))
            await self.send(ws, "say", payload=3, topic="hall:1", ref="2")
            await ws.idle()
            await ws.receive_all_json()
            assert (await ws.subscribe("hall:90"))["payload"]["reason"] == "unavailable"
        assert [item for item in seen if item[0].endswith("Error")] == [
            ("ValueError", "say"),
            ("ValueError", "news"),
            ("ValidationError", None),
            ("ValueError", None),
        ]

    # The default topic

    def alone(self, *, base: Consumer | None = None, **parameters: Any) -> WebsocketCommunicator:
        """Connect to a topic on a socket of its own."""
        consumer: Any = HallTopic.as_consumer(base or self.base)
        application = with_parameters(consumer.as_asgi(), **parameters)
        return self.connect_to(consumer, application=application)

    async def test_a_topic_on_a_socket_of_its_own(self) -> None:
        """The path has its parameters, and frames need not name it."""
        async with self.alone(pk="5") as ws:
            assert await ws.receive_json_from() == {
                "action": "subscribed",
                "payload": None,
                "version": 1,
                "topic": "hall:5",
            }
            for keys in ({}, {"topic": "hall:5"}, {"topic": None}):
                await self.send(ws, "say", payload="a", ref="2", **keys)
                assert await ws.receive_json_from() == {
                    "action": "say",
                    "payload": "a",
                    "version": 1,
                    "topic": "hall:5",
                    "ref": "2",
                }
            await HallTopic.broadcast("hall:5", NewsEvent(payload="b"))
            assert (await ws.receive_json_from())["payload"] == "b"
            assert (await ws.unsubscribe("hall:5"))["action"] == "unsubscribed"
            await self.send(ws, "say", payload="a", ref="2")
            assert (await ws.receive_json_from())["payload"]["reason"] == "not_subscribed"
        assert HallTopic.lifecycle == ["on hall:5", "off hall:5"]

    def test_the_class_of_a_socket_of_its_own(self) -> None:
        """It is named after the topic, and needs no base class where one framework is in use."""
        consumer = HallTopic.as_consumer(self.base)
        assert consumer.__name__ == "HallConsumer"
        assert consumer.__module__ == HallTopic.__module__
        assert consumer.__doc__ == HallTopic.__doc__
        aliased: Any = type("SideTopic", (HallTopic,), {"channel_layer_alias": "side"})
        assert aliased.as_consumer(self.base).channel_layer_alias == "side"

    @pytest.mark.parametrize(
        ("pk", "reason", "detail"),
        [
            ("50", "unauthorized", "Not allowed to subscribe to 'hall:50'"),
            ("91", "full", "The hall is full"),
            ("90", "unavailable", "Failed to subscribe to 'hall:90'"),
        ],
    )
    async def test_a_denied_default_topic_closes(self, pk: str, reason: str, detail: str) -> None:
        """With the error and 4403."""
        ws = self.alone(pk=pk)
        await ws.connect()
        assert (await ws.receive_json_from())["payload"] == {"reason": reason, "detail": detail}
        closed = await ws.receive_output()
        await ws.wait()
        assert (closed["type"], closed["code"], closed["reason"]) == (
            "websocket.close",
            4403,
            detail,
        )
        assert HallTopic.lifecycle == []

    async def test_a_default_topic_that_does_not_fit_closes(self) -> None:
        """A parameter of another type is the client's mistake."""
        ws = self.alone(pk="x")
        await ws.connect()
        assert (await ws.receive_json_from())["payload"]["reason"] == "invalid_topic"
        await ws.assert_closed(4403)
        await ws.wait()

    @pytest.mark.parametrize("parameters", [{}, {"number": "5"}, {"pk": "a:b"}, {"pk": ""}])
    async def test_a_path_without_the_parameters_closes(
        self, parameters: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        """That is a mistake of the application: 1011, and the log says what is missing."""
        ws = self.alone(**parameters)
        await ws.connect()
        await ws.assert_closed(1011)
        await ws.wait()
        assert "hall:" in caplog.text

    # Endings

    async def subscribe_and_work(self, **options: Any) -> WebsocketCommunicator:
        """Connect with two topics, in which a handler waits and a stream runs."""
        ws = self.connect(House, **options)
        await ws.connect()
        for topic in ("hall:1", "hall:2"):
            await ws.subscribe(topic)
        await self.send(ws, "wait", payload=1, topic="hall:1", ref="2")
        await self.send(ws, "word", payload=1, topic="hall:2", ref="3", window=1)
        await Answering.entered.wait()
        assert (await ws.receive_json_from())["seq"] == 1
        return ws

    @pytest.mark.parametrize("code", [1000, 1001, 1006])
    async def test_nothing_is_left_when_a_client_leaves(self, code: int) -> None:
        """Of its handlers, streams and topics."""
        ws = await self.subscribe_and_work(disconnect_grace=0)
        await ws.disconnect(code)
        assert sorted(HallTopic.lifecycle[2:]) == ["off hall:1", "off hall:2"]

    async def test_nothing_is_left_when_the_server_closes(self) -> None:
        """A topic may close the connection, with requests of the client still waiting."""
        ws = await self.subscribe_and_work(disconnect_grace=0)
        await self.send(ws, "say", payload="close", topic="hall:2")
        for number in range(3, 6):
            await self.send(ws, "subscribe", topic=f"hall:{number}")
        await ws.assert_closed(4321)
        await ws.wait()
        assert sorted(HallTopic.lifecycle[2:]) == ["off hall:1", "off hall:2"]

    async def test_nothing_is_left_when_the_server_drains(self) -> None:
        """Handlers of topics finish, streams end with `restarting`, and topics are given up."""
        ws = await self.subscribe_and_work(shutdown_grace=0.2)
        draining = asyncio.ensure_future(drain())
        Answering.gate.set()
        frames = [await ws.receive_json_from() for _ in range(2)]
        await ws.assert_closed(1012)
        await draining
        await ws.wait()
        found = {frame["topic"]: frame for frame in frames}
        assert found["hall:1"]["action"] == "wait"
        assert found["hall:2"]["payload"][0]["type"] == "restarting"

    @pytest.mark.parametrize("hook", ["connect", "post_authentication"])
    async def test_nothing_is_left_of_a_connection_that_fails(self, hook: str) -> None:
        """The default topic is not asked."""

        async def fail(consumer: Any) -> None:
            raise ValueError("secret")

        options: dict[str, Any] = {hook: fail, "default_topic": HallTopic}
        served: Any = self.make(House, **options)
        application = with_parameters(served.as_asgi(), pk="1")
        ws = self.connect_to(served, application=application)
        accepted, _ = await ws.connect()
        if accepted:
            await ws.assert_closed(1011)
        await ws.wait()
        assert accepted == (hook == "post_authentication")
        assert HallTopic.lifecycle == []

    @pytest.mark.parametrize("first", ["client", "gate"])
    async def test_nothing_is_left_of_a_default_topic_that_waits(self, first: str) -> None:
        """The client leaves while `authorize()` decides."""
        ws = self.alone(pk="93")
        await ws.connect()
        await Answering.entered.wait()
        if first == "gate":
            Answering.gate.set()
        leaving = asyncio.ensure_future(ws.disconnect())
        Answering.gate.set()
        await leaving

    async def test_nothing_is_left_of_a_subscription_that_drains(self) -> None:
        """The server shuts down while `authorize()` decides."""
        ws = self.connect(House, shutdown_grace=0)
        await ws.connect()
        await ws.subscribe("hall:1")
        await self.send(ws, "subscribe", topic="hall:93")
        await Answering.entered.wait()
        await drain()
        await ws.assert_closed(1012)
        await ws.wait()
        assert HallTopic.lifecycle == ["on hall:1", "off hall:1"]

    async def test_topics_end_before_the_connection_does(self) -> None:
        """`disconnect()` comes last, and finds no subscription."""

        class Noting(House):
            async def disconnect(self, code: int) -> None:
                """Note it."""
                HallTopic.lifecycle.append(f"left with {[*self.subscriptions]}")

        async with self.connect(Noting) as ws:
            await ws.subscribe("hall:1")
            await self.send(ws, "ping")
            assert await ws.receive_json_from() == PONG
        await until(lambda: len(HallTopic.lifecycle) == 3)
        assert HallTopic.lifecycle == ["on hall:1", "off hall:1", "left with []"]
