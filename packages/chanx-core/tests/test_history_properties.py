"""Recovery under random interleavings: a layer that loses and reorders, a store that trims, fails and forgets."""

import asyncio
import random
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chanx.core._history.entries import Entry, Position
from chanx.core._history.memory import MemoryHistory
from chanx.core._history.store import Retention
from chanx.core._history.topic_log import TopicLog

KEY = "room"
PROCESSES = 2


class Replicated(MemoryHistory):
    """A store whose calls take their time, and whose replica may lack the newest entries."""

    def __init__(self, choices: random.Random) -> None:
        super().__init__()
        self.choices = choices
        self.is_down = False

    async def travel(self) -> None:
        """Take some turns of the event loop, and fail during an outage."""
        for _ in range(self.choices.randrange(4)):
            await asyncio.sleep(0)
        if self.is_down:
            raise ConnectionError("The store is down")

    def fail_over(self, lost: int) -> None:
        """Lose the newest entries."""
        log = self._logs.get(KEY)
        for _ in range(min(lost, len(log.entries)) if log is not None else 0):
            assert log is not None
            log.head = log.entries.pop()[1].before

    def evict(self) -> None:
        """Lose everything."""
        self._logs.clear()

    @property
    def entries(self) -> list[Entry]:
        """What the store has."""
        log = self._logs.get(KEY)
        return [] if log is None else [entry for _, entry in log.entries]


class Reader:
    """One process's way to the store."""

    def __init__(self, store: Replicated) -> None:
        self.store = store

    async def head(self) -> Position:
        await self.store.travel()
        (head,) = await self.store.heads([KEY])
        await self.store.travel()
        return head

    async def read(self, after: Position, limit: int) -> list[Entry]:
        await self.store.travel()
        # Small pages, so that much happens between them.
        found = await self.store.read(KEY, after, min(limit, 3))
        await self.store.travel()
        return found

    async def latest(self, count: int) -> list[Entry]:
        await self.store.travel()
        return await self.store.latest(KEY, count)


class Item:
    """An entry as members take it."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry


class Member:
    """A client: what it was given, in order, and the cursor that it comes back with."""

    def __init__(self, choices: random.Random) -> None:
        self.choices = choices
        self.seen: list[Entry] = []
        self.last: Position | None = None
        self.position = Position("", 0, "")
        self.log: TopicLog[Item] | None = None
        self.catching_up: asyncio.Task[None] | None = None
        self.queue: list[Item | None] = []
        self.room = choices.choice([1, 3, 100])
        self.gaps: list[str] = []

    # As the log sees it

    @property
    def has_room(self) -> bool:
        return len(self.queue) < self.room

    def give(self, item: Item) -> None:
        self.queue.append(item)

    def give_resync(self) -> None:
        self.queue.append(None)

    async def take(self, item: Item) -> None:
        self.see(item.entry)
        if self.choices.random() < 0.3:
            await asyncio.sleep(0)

    async def take_resync(self) -> None:
        self.forget()

    def fall_behind(self) -> None:
        self.begin_catching_up()

    # The client

    def see(self, entry: Entry) -> None:
        if self.last is not None and entry.before != self.last:
            self.gaps.append(f"{entry.offset} after {self.last.offset}")
        self.last = entry.position
        self.seen.append(entry)

    def forget(self) -> None:
        self.last = None
        self.seen.clear()

    def read_queue(self) -> None:
        """Handle what waits."""
        while self.queue:
            item = self.queue.pop(0)
            if item is None:
                self.forget()
            else:
                self.see(item.entry)

    def begin_catching_up(self) -> None:
        self.catching_up = asyncio.ensure_future(self.catch_up())

    async def catch_up(self) -> None:
        assert self.log is not None
        while True:
            while self.queue:  # noqa: ASYNC110 - entries of before come first, and a rule reads them
                await asyncio.sleep(0)
            try:
                await self.log.catch_up(self)
            except ConnectionError:
                await asyncio.sleep(0)
            else:
                return

    async def subscribe(self, log: TopicLog[Item]) -> None:
        recovered: bool | None = None
        while recovered is None:
            try:
                await log.open()
                self.position, recovered = await log.start_of(self.last, 0)
            except ConnectionError:
                await asyncio.sleep(0)
        if not recovered:
            self.forget()
            self.last = self.position
        self.log = log
        self.begin_catching_up()

    def leave(self) -> None:
        """Lose the connection, with whatever the client has not read."""
        if self.catching_up is not None:
            self.catching_up.cancel()
        if self.log is not None:
            self.log.leave(self)
        self.log = None
        self.queue.clear()


class Recovery(RuleBasedStateMachine):
    """Publishers, processes, members and failures, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()

    @initialize(seed=st.integers(0, 2**32), size=st.sampled_from([4, 20, 100]))
    def begin(self, seed: int, size: int) -> None:
        self.choices = random.Random(seed)
        self.retention = Retention(size, 3600)
        self.store = Replicated(self.choices)
        self.logs: list[TopicLog[Item]] = []
        with self.running():
            self.logs = [TopicLog(Reader(self.store), Item) for _ in range(PROCESSES)]
        self.hints: list[list[Entry]] = [[] for _ in range(PROCESSES)]
        self.members = [Member(self.choices) for _ in range(4)]
        self.subscribing: list[asyncio.Task[None]] = []
        self.published = 0
        for number in range(4):
            self.subscribe(number, number % PROCESSES)
        self.publish(3)
        self.turns(30)

    @contextmanager
    def running(self) -> Generator[None]:
        """Let code see the event loop while it does not run."""
        asyncio.events._set_running_loop(self.loop)
        try:
            yield
        finally:
            asyncio.events._set_running_loop(None)

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(coroutine)

    @rule(count=st.integers(1, 5))
    def publish(self, count: int) -> None:
        """Append entries; what the processes hear of them is up to the layer."""

        async def publishing() -> None:
            for _ in range(count):
                if not self.store.is_down:
                    self.published += 1
                    entry = await self.store.append(KEY, {"n": self.published}, self.retention)
                    for hints in self.hints:
                        hints.append(entry)

        self.run(publishing())

    @rule(process=st.integers(0, PROCESSES - 1), at=st.integers(0, 3), is_lost=st.booleans())
    def hint(self, process: int, at: int, is_lost: bool) -> None:
        """Bring a hint to a process, in whatever order, or lose it."""
        hints = self.hints[process]
        if not hints:
            return
        entry = hints.pop(max(min(at, len(hints) - 1), -len(hints)))

        async def hearing() -> None:
            if not is_lost:
                self.logs[process].hear(entry)

        self.run(hearing())

    @rule(process=st.integers(0, PROCESSES - 1))
    def all_hints(self, process: int) -> None:
        """Bring everything in order."""
        for _ in range(len(self.hints[process])):
            self.hint(process, 0, False)

    @rule(member=st.integers(0, 3), process=st.integers(0, PROCESSES - 1))
    def subscribe(self, member: int, process: int) -> None:
        async def subscribing() -> None:
            client = self.members[member]
            if client.log is None and not any(not task.done() for task in self.subscribing):
                task = asyncio.ensure_future(client.subscribe(self.logs[process]))
                self.subscribing.append(task)

        self.run(subscribing())

    @rule(member=st.integers(0, 3))
    def leave(self, member: int) -> None:
        async def leaving() -> None:
            self.members[member].leave()

        self.run(leaving())

    @rule(member=st.integers(0, 3))
    def read(self, member: int) -> None:
        self.members[member].read_queue()

    @rule(turns=st.integers(1, 20))
    def turns(self, turns: int) -> None:
        """Let what is under way go on for a while."""

        async def turning() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)

        self.run(turning())

    @rule()
    def compare(self) -> None:
        """Do what happens every second."""
        self.run(self.comparing())

    async def comparing(self) -> None:
        if not self.store.is_down:
            (head,) = await self.store.heads([KEY])
            for log in self.logs:
                log.compare(head)

    @rule(lost=st.integers(1, 4), again=st.integers(0, 4), at=st.integers(0, 3))
    def fail_over(self, lost: int, again: int, at: int) -> None:
        """Lose the newest entries, and go on: a process may hear of what comes afterwards first."""
        self.store.fail_over(lost)
        self.publish(again)
        for process in range(PROCESSES):
            self.hint(process, -1 - at, False)

    @rule()
    def evict(self) -> None:
        self.store.evict()

    @rule(is_down=st.booleans())
    def outage(self, is_down: bool) -> None:
        self.store.is_down = is_down

    @invariant()
    def nobody_has_a_gap(self) -> None:
        """Each entry follows the one before, or the member was told."""
        for member in getattr(self, "members", []):
            assert member.gaps == []

    def teardown(self) -> None:
        if hasattr(self, "members"):
            self.run(self.settled())
            self.check()
        self.loop.close()

    async def settled(self) -> None:
        """Mend everything, and wait until it shows."""
        self.store.is_down = False
        for _ in range(60):
            await self.comparing()
            for _ in range(20):
                for member in self.members:
                    member.read_queue()
                await asyncio.sleep(0)
        await asyncio.gather(*self.subscribing)
        for member in self.members:
            if member.catching_up is not None:
                await asyncio.wait([member.catching_up])
        for log in self.logs:
            await log.close()

    def check(self) -> None:
        """Members that are subscribed are at the newest entry, and what they hold is what the store has."""
        kept = {entry.offset: entry for entry in self.store.entries}
        (head,) = self.loop.run_until_complete(self.store.heads([KEY]))
        for member in self.members:
            if member.log is None:
                continue
            assert member.gaps == []
            assert member.log.position == head
            assert member.last in (None, head)
            for entry in member.seen:
                assert kept.get(entry.offset, entry) == entry


TestRecovery = Recovery.TestCase
TestRecovery.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
