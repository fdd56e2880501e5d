"""What every store of histories does, and histories on every kind of channel layer."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from chanx.core.health import snapshot
from chanx.core.history import (
    History,
    HistoryLostError,
    HistoryStore,
    MemoryHistory,
    Position,
    RedisHistory,
    Retention,
)
from chanx.testing.leaks import no_leaks
from chanx_conformance.history import (
    Chronicle,
    LogTopic,
    forget_other_tests,
    hears,
    publish,
    subscribe,
)
from chanx_conformance.suite import OnEveryLayer

__all__ = ["HistoryLayerTests", "HistoryStoreTests"]

KEPT = Retention(size=5, seconds=3600)


class HistoryStoreTests:
    """Offsets, proofs and limits."""

    @pytest.fixture(params=["memory", "redis"])
    async def store(self, request: pytest.FixtureRequest) -> AsyncGenerator[HistoryStore]:
        """Give each kind of store."""
        if request.param == "memory":
            yield MemoryHistory()
            return
        store = RedisHistory(request.getfixturevalue("valkey_url"))
        yield store
        await store.close()

    async def fill(self, store: HistoryStore, count: int, key: str = "a") -> Position:
        """Append events, and return where they begin."""
        (begin,) = await store.heads([key])
        for number in range(count):
            await store.append(key, {"event_data": {"n": number}}, KEPT)
        return begin

    async def test_entries_form_a_chain(self, store: HistoryStore) -> None:
        """Each says which one was before."""
        begin = await self.fill(store, 3)
        assert (begin.offset, begin.token) == (0, "")
        entries = await store.read("a", begin, 10)
        assert [entry.offset for entry in entries] == [1, 2, 3]
        assert [entry.before for entry in entries] == [
            begin,
            *(entry.position for entry in entries[:2]),
        ]
        assert [entry.event["event_data"]["n"] for entry in entries] == [0, 1, 2]
        assert await store.heads(["a"]) == [entries[-1].position]

    async def test_what_is_appended_is_what_is_read(self, store: HistoryStore) -> None:
        """Texts of every kind, too."""
        event = {"event_data": {"text": 'ä"\\\u2028\x00', "number": 2**53, "none": None}}
        appended = await store.append("a", event, KEPT)
        assert await store.latest("a", 1) == [appended]
        assert appended.event == event

    async def test_pages(self, store: HistoryStore) -> None:
        """From any position on, up to the limit."""
        begin = await self.fill(store, 5)
        first = await store.read("a", begin, 2)
        rest = await store.read("a", first[-1].position, 10)
        assert [entry.offset for entry in first + rest] == [1, 2, 3, 4, 5]
        assert await store.read("a", rest[-1].position, 10) == []

    async def test_latest(self, store: HistoryStore) -> None:
        """The oldest of them first; fewer where there are no more."""
        await self.fill(store, 3)
        assert [entry.offset for entry in await store.latest("a", 2)] == [2, 3]
        assert [entry.offset for entry in await store.latest("a", 9)] == [1, 2, 3]
        assert await store.latest("b", 2) == []

    async def test_what_is_not_kept_is_lost(self, store: HistoryStore) -> None:
        """A position before it proves nothing; the first one that does is the one before the oldest entry."""
        begin = await self.fill(store, 7)
        with pytest.raises(HistoryLostError):
            await store.read("a", begin, 10)
        kept = await store.latest("a", 10)
        assert [entry.offset for entry in kept] == [3, 4, 5, 6, 7]
        assert await store.read("a", kept[0].before, 10) == kept

    async def test_old_entries_are_not_kept(self, store: HistoryStore) -> None:
        """Their place stays: the next entry follows it."""
        brief = Retention(size=5, seconds=1)
        first = await store.append("a", {"event_data": 1}, brief)
        async with asyncio.timeout(10):
            while await store.latest("a", 1):  # noqa: ASYNC110 - a store has no event for it
                await asyncio.sleep(0.1)
        assert await store.heads(["a"]) == [first.position]
        second = await store.append("a", {"event_data": 2}, brief)
        assert second.before == first.position
        assert await store.read("a", first.position, 1) == [second]

    @pytest.mark.parametrize(
        "wrong",
        [
            Position("none", 1, ""),
            Position("", 0, ""),
        ],
    )
    async def test_positions_of_other_histories_prove_nothing(
        self, store: HistoryStore, wrong: Position
    ) -> None:
        """Not even an offset that exists."""
        await self.fill(store, 3)
        with pytest.raises(HistoryLostError):
            await store.read("a", wrong, 10)

    async def test_tokens_and_offsets_have_to_agree(self, store: HistoryStore) -> None:
        """An offset that was given to another entry proves nothing, and neither does one to come."""
        await self.fill(store, 3)
        (head,) = await store.heads(["a"])
        for wrong in (
            head._replace(token="00000000"),
            head._replace(offset=2),
            head._replace(offset=9),
        ):
            with pytest.raises(HistoryLostError):
                await store.read("a", wrong, 10)

    async def test_histories_do_not_mix(self, store: HistoryStore) -> None:
        """Each has its own epoch, and its own offsets."""
        one, two = await self.fill(store, 2, "a"), await self.fill(store, 1, "b")
        assert one.epoch != two.epoch
        heads = await store.heads(["b", "a", "c"])
        assert [head.offset for head in heads] == [1, 2, 0]

    async def test_concurrent_appends_are_all_kept(self, store: HistoryStore) -> None:
        """In one order."""
        (begin,) = await store.heads(["a"])
        much = Retention(size=1000, seconds=3600)
        entries = await asyncio.gather(
            *(store.append("a", {"event_data": number}, much) for number in range(50))
        )
        read = await store.read("a", begin, 100)
        assert read == sorted(entries, key=lambda entry: entry.offset)
        assert [entry.offset for entry in read] == [*range(1, 51)]


class HistoryLayerTests(OnEveryLayer):
    """Recovery wherever the groups are, with a store that fits."""

    @pytest.fixture(autouse=True)
    async def nothing_left(self, layer: Any) -> AsyncGenerator[None]:
        """Check that no task is left but those of the layer, which end with it, and no group."""
        async with no_leaks():
            yield
            await layer.flush()
        assert snapshot().groups == 0

    @pytest.fixture(autouse=True)
    async def stored(
        self, request: pytest.FixtureRequest, layer: Any, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncGenerator[None]:
        """Keep histories in memory for the layer in memory, on the server for the others."""
        forget_other_tests(monkeypatch)
        if request.node.callspec.params["layer"] == "memory":
            monkeypatch.setattr(LogTopic, "history", History(size=1000))
            yield
            return
        store = RedisHistory(request.getfixturevalue("valkey_url"))
        monkeypatch.setattr(LogTopic, "history", History(size=1000, store=store))
        yield
        await store.close()

    async def test_clients_that_come_and_go_miss_nothing(self) -> None:
        """While events are published all the time."""
        consumer = self.make(Chronicle, layer_timeout=30.0)
        words = [f"word {number}" for number in range(200)]
        async with AsyncExitStack() as stack:
            stays = await stack.enter_async_context(self.connect_to(consumer))
            cursor = (await subscribe(stays))["cursor"]
            publishing = asyncio.create_task(publish(*words))
            await hears(stays, *words[:1])
            heard: list[str] = []
            while len(heard) < len(words):
                async with self.connect_to(consumer) as ws:
                    assert (await subscribe(ws, cursor))["recovered"] is True
                    for _ in range(min(23, len(words) - len(heard))):
                        frame = await ws.receive_json_from(30.0)
                        heard.append(frame["payload"])
                        cursor = frame["cursor"]
            await publishing
            assert heard == words
            await hears(stays, *words[1:])

    async def test_a_shared_layer_needs_a_shared_store(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The error names the cure."""
        monkeypatch.setattr(LogTopic, "history", History())
        if request.node.callspec.params["layer"] == "memory":
            return
        async with self.connect(Chronicle, layer_timeout=30.0) as ws:
            await ws.send_to(text_data=json.dumps({"action": "subscribe", "topic": "log:a"}))
            assert (await ws.receive_json_from(30.0))["payload"]["reason"] == "unavailable"
            with pytest.raises(RuntimeError, match="RedisHistory"):
                await publish("a")
