"""The history of topics: what a client missed, or an honest word that something is missing."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from weakref import WeakSet

import pytest

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.history import (
    Entry,
    History,
    HistoryUnavailable,
    MemoryHistory,
    Position,
    Retention,
)
from chanx.core.topic import Topic
from chanx.testing.channel_layer import FaultyChannelLayer
from chanx.testing.communicator import WebsocketCommunicator
from chanx.type_defs import JSONObject
from chanx_conformance.consumers import Answering
from chanx_conformance.models import NewsEvent, SayMessage, WordMessage
from chanx_conformance.suite import Consumer, Suite

__all__ = ["HistoryTests"]

# Seconds: a limit that no test reaches, though a process finds within one or two what its channel layer lost.
PATIENCE = 20.0


class FailingHistory(MemoryHistory):
    """Fails on demand, and forgets."""

    is_down = False
    reads = 0

    async def append(self, key: str, event: JSONObject, retention: Retention) -> Entry:
        """Append, or fail."""
        self.check()
        return await super().append(key, event, retention)

    async def heads(self, keys: Sequence[str]) -> list[Position]:
        """Return the heads, or fail."""
        self.check()
        return await super().heads(keys)

    async def read(self, key: str, after: Position, limit: int) -> list[Entry]:
        """Read, or fail."""
        self.check()
        self.reads += 1
        return await super().read(key, after, limit)

    def check(self) -> None:
        """Fail, if the test asks for it."""
        if self.is_down:
            raise OSError("The store is down")

    def evict(self) -> None:
        """Lose everything."""
        self._logs.clear()


class LogTopic(Topic[NewsEvent]):
    """A topic whose events are kept."""

    pattern = "log:{name}"
    history: ClassVar[History | None] = History(size=100)
    recoveries: ClassVar[list[bool]]

    async def on_subscribe(self) -> None:
        """Note whether the client has everything."""
        self.recoveries.append(self.recovered)

    @ws_handler
    async def say(self, message: SayMessage) -> None:
        """Broadcast to the others."""
        await self.broadcast(NewsEvent(payload=message.payload), exclude_current=True)

    @event_handler
    async def news(self, event: NewsEvent) -> SayMessage | None:
        """Pass it on, with a word before it, or keep it."""
        if event.payload == "silent":
            return None
        if event.payload == "twice":
            await self.send_message(WordMessage(payload=1))
        return SayMessage(payload=event.payload)


class Chronicle(Answering):
    """Has topics with a history."""

    topics: ClassVar[Any] = [LogTopic]


class ChronicleHookByHook(Chronicle):
    """Does the same with hooks on the way."""

    async def send_json(self, content: dict[str, Any], close: bool = False) -> None:
        """Pass on."""
        await super().send_json(content, close)


ROUTES = pytest.mark.parametrize(
    "handlers", [Chronicle, ChronicleHookByHook], ids=["direct", "hooked"]
)


def forget_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Consumer classes of other tests, which live until they are collected, have layers of their own."""
    nobody: WeakSet[type] = WeakSet()
    monkeypatch.setattr(LogTopic, "_consumers", nobody)
    LogTopic.recoveries = []


async def publish(*words: str, topic: str = "log:a") -> None:
    """Broadcast events."""
    for word in words:
        await LogTopic.broadcast(topic, NewsEvent(payload=word))


async def subscribe(
    ws: WebsocketCommunicator, since: Any = None, topic: str = "log:a"
) -> JSONObject:
    """Subscribe, and return the payload of the confirmation."""
    payload = {} if since is None else {"payload": {"since": since}}
    request = {"action": "subscribe", **payload, "topic": topic, "ref": "1"}
    await ws.send_to(text_data=json.dumps(request))
    frame = await ws.receive_json_from(PATIENCE)
    assert frame["action"] == "subscribed", frame
    assert (frame["topic"], frame["ref"]) == (topic, "1")
    confirmed: JSONObject = frame["payload"]
    return confirmed


async def hears(ws: WebsocketCommunicator, *words: str) -> str:
    """Expect these words next, in order and once, and return the last cursor."""
    cursor = ""
    for word in words:
        frame = await ws.receive_json_from(PATIENCE)
        assert (frame["action"], frame["payload"]) == ("say", word), frame
        cursor = frame["cursor"]
    return cursor


class HistoryTests(Suite):
    """Recovery after a reconnect, and what is told where it is not possible."""

    @pytest.fixture(autouse=True)
    def kept(self, monkeypatch: pytest.MonkeyPatch) -> FailingHistory:
        """Each test has a store of its own."""
        store = FailingHistory()
        monkeypatch.setattr(LogTopic, "history", History(size=100, store=store))
        forget_other_tests(monkeypatch)
        return store

    @asynccontextmanager
    async def on_faulty_layer(
        self, **options: Any
    ) -> AsyncGenerator[tuple[WebsocketCommunicator, FaultyChannelLayer]]:
        """Connect over a layer that fails on demand."""
        faulty = FaultyChannelLayer(capacity=1000)

        def find_layer(alias: str) -> FaultyChannelLayer:
            return faulty

        wanted = {"get_channel_layer": staticmethod(find_layer), "layer_timeout": 1.0, **options}
        async with self.connect(Chronicle, **wanted) as ws:
            yield ws, faulty

    # Frames

    @ROUTES
    async def test_frames_carry_a_number_and_a_cursor(self, handlers: Consumer) -> None:
        """The cursor is on the last frame that an event causes, behind all other keys."""
        async with self.connect(handlers) as ws:
            confirmed = await subscribe(ws)
            assert confirmed == {"recovered": False, "cursor": confirmed["cursor"]}
            assert confirmed["cursor"].split(".")[1] == "0"
            await publish("a", "twice")
            first = json.loads(text := await ws.receive_from())
            assert text.startswith(
                '{"action":"say","payload":"a","version":1,"topic":"log:a","seq":1,"cursor":"'
            )
            assert first["cursor"].split(".")[1] == "1"
            word = await ws.receive_json_from()
            assert (word["action"], word["seq"], word.get("cursor")) == ("word", 2, None)
            assert (await hears(ws, "twice")).split(".")[1] == "2"

    async def test_topics_without_a_history_are_as_before(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No payload, and no cursor."""
        monkeypatch.setattr(LogTopic, "history", None)
        async with self.connect(Chronicle) as ws:
            assert (await ws.subscribe("log:a"))["payload"] is None
            await publish("a")
            frame = await ws.receive_json_from()
            assert "cursor" not in frame
            assert "seq" not in frame

    async def test_numbers_are_those_of_the_history(self) -> None:
        """So that an application cannot give its own."""
        async with self.connect(Chronicle):
            with pytest.raises(TypeError, match="LogTopic has a history"):
                await LogTopic.broadcast("log:a", NewsEvent(payload="a"), seq=4)

    async def test_large_events_are_refused(
        self, kept: FailingHistory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before anything is kept."""
        monkeypatch.setattr(LogTopic, "history", History(max_bytes=100, store=kept))
        async with self.connect(Chronicle) as ws:
            await subscribe(ws)
            with pytest.raises(ValueError, match="max_bytes=100"):
                await publish("x" * 100)
            await publish("a")
            await hears(ws, "a")

    # Recovery

    @ROUTES
    async def test_missed_events_come_first(self, handlers: Consumer) -> None:
        """In order and once, and then what is live."""
        consumer = self.make(handlers)
        async with self.connect_to(consumer) as ws:
            await subscribe(ws)
            await publish("a", "b")
            cursor = await hears(ws, "a", "b")
            await publish("c")  # it does not get there any more
        await publish("d", "silent", *"efg")
        async with self.connect_to(consumer) as ws:
            confirmed = await subscribe(ws, cursor)
            assert confirmed == {"recovered": True, "cursor": cursor}
            await hears(ws, *"cdefg")
            await publish("h")
            await hears(ws, "h")
            await ws.assert_nothing()
        assert LogTopic.recoveries == [False, True]

    async def test_asking_again_says_where_the_client_is(self) -> None:
        """So that its next cursor leaves nothing out and brings nothing twice."""
        async with self.connect(Chronicle) as ws:
            start = await subscribe(ws)
            assert await subscribe(ws, start["cursor"]) == {**start, "recovered": True}
            await publish("a")
            cursor = await hears(ws, "a")
            assert await subscribe(ws) == {"recovered": True, "cursor": cursor}
            await ws.unsubscribe("log:a")
            await publish("b")
            assert (await subscribe(ws, cursor))["recovered"] is True
            await hears(ws, "b")

    async def test_many_pages_are_missed(
        self, kept: FailingHistory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Events that come meanwhile follow them."""
        monkeypatch.setattr(LogTopic, "history", History(size=1000, store=kept))
        consumer = self.make(Chronicle)
        async with self.connect_to(consumer) as ws:
            cursor = (await subscribe(ws))["cursor"]
        words = [f"word {number}" for number in range(500)]
        await publish(*words[:400])
        async with self.connect_to(consumer) as ws:
            assert (await subscribe(ws, cursor))["recovered"] is True
            await publish(*words[400:])
            await hears(ws, *words)

    async def test_crowd_that_comes_back_reads_once(self, kept: FailingHistory) -> None:
        """The process keeps the newest entries while somebody is subscribed."""
        consumer = self.make(Chronicle)
        async with self.connect_to(consumer) as stays:
            cursor = (await subscribe(stays))["cursor"]
            words = [f"word {number}" for number in range(50)]
            await publish(*words)
            await hears(stays, *words)
            reads = kept.reads
            for _ in range(20):
                async with self.connect_to(consumer) as ws:
                    await subscribe(ws, cursor)
                    await hears(ws, *words)
            assert kept.reads == reads

    async def test_replay_for_new_clients(
        self, kept: FailingHistory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The newest events, and no claim that they are all."""
        monkeypatch.setattr(LogTopic, "history", History(size=100, replay=2, store=kept))
        async with self.connect(Chronicle) as ws:
            await publish(*"abcd")
            assert (await subscribe(ws))["recovered"] is False
            await hears(ws, "c", "d")
            await ws.assert_nothing()

    @pytest.mark.parametrize(
        "since",
        [
            pytest.param(7, id="number"),
            pytest.param("", id="empty"),
            pytest.param("a.b", id="truncated"),
            pytest.param("zz.1.aaaaaaaa", id="another history"),
            pytest.param("x" * 10_000, id="long"),
            pytest.param(["a"], id="list"),
            pytest.param("a.99999999999999999999.b", id="huge"),
        ],
    )
    async def test_a_cursor_that_is_none_recovers_nothing(self, since: Any) -> None:
        """And harms nothing."""
        async with self.connect(Chronicle) as ws:
            await publish("a")
            assert (await subscribe(ws, since))["recovered"] is False
            await publish("b")
            await hears(ws, "b")

    async def test_a_cursor_of_another_topic_recovers_nothing(self) -> None:
        """Each topic has a history of its own."""
        async with self.connect(Chronicle) as ws:
            cursor = (await subscribe(ws, topic="log:b"))["cursor"]
            assert (await subscribe(ws, cursor))["recovered"] is False

    async def test_a_cursor_before_what_is_kept_recovers_nothing(
        self, kept: FailingHistory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Never a part."""
        monkeypatch.setattr(LogTopic, "history", History(size=3, store=kept))
        async with self.connect(Chronicle) as ws:
            cursor = (await subscribe(ws))["cursor"]
            await ws.unsubscribe("log:a")
            await publish(*"abcd")
            assert (await subscribe(ws, cursor))["recovered"] is False
            await ws.assert_nothing()

    async def test_the_sender_may_be_left_out(self) -> None:
        """Its next cursor covers what it did not get."""
        consumer = self.make(Chronicle)
        async with self.connect_to(consumer) as one, self.connect_to(consumer) as two:
            for ws in (one, two):
                await subscribe(ws)
            await one.send_message(SayMessage(payload="a"), topic="log:a")
            await hears(two, "a")
            await publish("b")
            assert (await hears(one, "b")).split(".")[1] == "2"

    # Failures

    async def test_what_the_layer_loses_arrives(self) -> None:
        """A moment later, in order, and nobody is told to fetch anything again."""
        async with self.on_faulty_layer() as (ws, faulty):
            await subscribe(ws)
            await publish("a")
            with faulty.drop():
                await publish("b", "c")
            await hears(ws, *"abc")
            await publish("d")
            await hears(ws, "d")
            await ws.assert_nothing()

    async def test_what_the_layer_brings_late_or_twice_arrives_once(self) -> None:
        """In order."""
        async with self.on_faulty_layer() as (ws, faulty):
            await subscribe(ws)
            with faulty.delay(1.0):
                await publish("a")
            with faulty.duplicate():
                await publish("b")
            await hears(ws, *"ab")
            faulty.clock.advance(2.0)
            await publish("c")
            await hears(ws, "c")
            await ws.assert_nothing()

    async def test_publishing_does_not_need_the_layer(self) -> None:
        """During an outage events are kept, and arrive."""
        async with self.on_faulty_layer() as (ws, faulty):
            await subscribe(ws)
            with faulty.down():
                await publish("a", "b")
            await hears(ws, *"ab")

    async def test_the_store_is_down(self, kept: FailingHistory) -> None:
        """Publishers know, clients are refused, and everything goes on afterwards."""
        async with self.connect(Chronicle) as ws:
            await subscribe(ws)
            kept.is_down = True
            with pytest.raises(HistoryUnavailable, match="FailingHistory is unavailable: OSError"):
                await publish("a")
            refused = await ws.subscribe("log:b")
            assert refused["action"] == "error"
            assert refused["payload"]["reason"] == "unavailable"
            kept.is_down = False
            await publish("b")
            await hears(ws, "b")
            await subscribe(ws, topic="log:b")

    async def test_the_store_has_lost_everything(self, kept: FailingHistory) -> None:
        """Live members are told, once, and their old cursors recover nothing."""
        consumer = self.make(Chronicle)
        async with self.connect_to(consumer) as ws:
            await subscribe(ws)
            await publish("a")
            cursor = await hears(ws, "a")
            kept.evict()
            frame = await ws.receive_json_from(PATIENCE)
            assert (frame["action"], frame["topic"]) == ("resync", "log:a")
            await publish("b")
            await hears(ws, "b")
            await ws.assert_nothing()
        async with self.connect_to(consumer) as ws:
            assert (await subscribe(ws, cursor))["recovered"] is False

    async def test_a_slow_client_loses_nothing(self, kept: FailingHistory) -> None:
        """What does not fit into its queue is read again at its pace."""
        words = [f"word {number}" for number in range(60)]
        async with self.connect(Chronicle, event_queue=2) as ws:
            await subscribe(ws)
            await asyncio.gather(*(publish(word) for word in words))
            heard = [(await ws.receive_json_from(PATIENCE))["payload"] for _ in words]
            assert heard == words
            await publish("live")
            await hears(ws, "live")

    async def test_layers_keep_histories_of_their_own(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where two consumers of a topic are on two layers, and no store is given."""
        monkeypatch.setattr(LogTopic, "history", History())
        with self.registered(self.make_layer("memory")):
            async with self.connect(Chronicle) as one:
                cursor = (await subscribe(one))["cursor"]
                other = self.make_layer("memory")

                def find_layer(alias: str) -> Any:
                    return other

                async with self.connect(
                    Chronicle, get_channel_layer=staticmethod(find_layer)
                ) as two:
                    await subscribe(two)
                    await publish("a", "b")
                    await hears(one, "a", "b")
                    await hears(two, "a", "b")
                    await one.unsubscribe("log:a")
                    assert (await subscribe(one, cursor))["recovered"] is True
                    await hears(one, "a", "b")

    # Endings

    async def test_a_client_leaves_while_it_catches_up(
        self, kept: FailingHistory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By unsubscribing, or at once."""
        monkeypatch.setattr(LogTopic, "history", History(size=1000, store=kept))
        consumer = self.make(Chronicle)
        async with self.connect_to(consumer) as ws:
            cursor = (await subscribe(ws))["cursor"]
        await publish(*(str(number) for number in range(300)))
        async with self.connect_to(consumer) as ws:
            await subscribe(ws, cursor)
            await ws.send_to(text_data=json.dumps({"action": "unsubscribe", "topic": "log:a"}))
            while (await ws.receive_json_from())["action"] != "unsubscribed":
                pass
            await publish("after")
            await ws.assert_nothing()
        async with self.connect_to(consumer) as ws:
            await subscribe(ws, cursor)

    async def test_what_cannot_be_kept_is_refused(self) -> None:
        """When the class is written."""
        wrong: list[dict[str, Any]] = [
            {"size": 0},
            {"seconds": 0},
            {"replay": -1},
            {"max_bytes": 0},
        ]
        for options in wrong:
            with pytest.raises(ValueError, match="at least"):
                History(**options)
        with pytest.raises(ValueError, match="only 3 entries"):
            History(size=3, replay=4)
