"""Joins and leaves that race, on a layer that waits, fails and is interrupted wherever it can be."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chanx.core.decorators import ws_handler
from chanx.core.health import snapshot
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.type_defs import ASGIEvent, JSONObject, Scope

TIME_LIMIT = 10
RESYNC = "resync"


class NoteMessage(BaseMessage):
    """What is sent to groups."""

    action: Literal["note"] = "note"
    payload: str


class RestlessLayer:
    """A layer in memory whose every call waits some turns of the loop, and fails now and then.

    A call that fails may have had its effect, as one whose answer is lost on the way.
    """

    def __init__(self, random: Random, failures: float = 0.0) -> None:
        self.random = random
        self.failures = failures
        self.groups: dict[str, set[str]] = defaultdict(set)
        self.queues: dict[str, asyncio.Queue[JSONObject | None]] = defaultdict(asyncio.Queue)
        self.channels = 0
        self.gate: asyncio.Event | None = None

    async def _restless(self) -> None:
        for _ in range(self.random.randrange(4)):
            await asyncio.sleep(0)
        if self.random.random() < self.failures:
            raise ConnectionError("restless")

    async def new_channel(self) -> str:
        """Make up a name."""
        await self._restless()
        self.channels += 1
        return f"channel-{self.channels}"

    async def send(self, channel: str, message: JSONObject) -> None:
        """Send."""
        self.queues[channel].put_nowait(message)

    async def receive(self, channel: str) -> JSONObject:
        """Receive what was sent, or a failure."""
        message = await self.queues[channel].get()
        if message is None:
            raise ConnectionError("told to")
        return message

    def interrupt(self) -> None:
        """Let everybody who receives notice a failure."""
        for queue in self.queues.values():
            queue.put_nowait(None)

    async def group_add(self, group: str, channel: str) -> None:
        """Join, perhaps in vain, perhaps without saying so."""
        await self._restless()
        self.groups[group].add(channel)
        await self._restless()

    async def group_discard(self, group: str, channel: str) -> None:
        """Leave, when the gate is open."""
        if self.gate is not None:
            await self.gate.wait()
        await self._restless()
        self.groups[group].discard(channel)
        await self._restless()

    async def group_send(self, group: str, message: JSONObject) -> None:
        """Send to every member."""
        for channel in self.groups[group]:
            await self.send(channel, {**message})

    def members(self) -> dict[str, int]:
        """Return how many members each group has that has any, those of the engine's own use left out."""
        return {
            group: len(channels)
            for group, channels in self.groups.items()
            if channels and not group.startswith("chanx.")
        }


class Member(ChanxWebsocketConsumerMixin[Any]):
    """Joins and leaves as the test says."""

    group_message_metadata = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.admitted = asyncio.Event()

    async def post_authentication(self) -> None:
        """Tell the test."""
        self.admitted.set()

    @ws_handler(output_type=NoteMessage)
    async def ping(self, message: PingMessage) -> None:
        """Do nothing."""


class Seat:
    """One connection with what its client has received."""

    def __init__(self, kind: type[Member]) -> None:
        self.consumer = kind()
        self.heard: list[str] = []
        self.hears = asyncio.Event()
        self.events: asyncio.Queue[ASGIEvent] = asyncio.Queue()
        scope: Scope = {"type": "websocket", "path": "/", "headers": []}
        self.events.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(self.consumer(scope, self.events.get, self._send))

    async def _send(self, event: ASGIEvent) -> None:
        if event["type"] == "websocket.send":
            frame = json.loads(event["text"])
            self.heard.append(frame["payload"] if frame["action"] == "note" else frame["action"])
            self.hears.set()

    async def open(self) -> None:
        """Wait until the client is let in, which is said a turn later."""
        async with asyncio.timeout(TIME_LIMIT):
            await self.consumer.admitted.wait()

    async def has_heard(self, names: set[str]) -> None:
        """Wait for frames with these payloads."""
        async with asyncio.timeout(TIME_LIMIT):
            while not names <= set(self.heard):
                self.hears.clear()
                await self.hears.wait()

    async def leave(self) -> None:
        """Leave, and wait for the end."""
        self.events.put_nowait({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(TIME_LIMIT):
            await self.task


def kind_on(layer: RestlessLayer) -> type[Member]:
    """Make a consumer class on a layer."""

    def get_channel_layer(alias: str | None) -> RestlessLayer:
        return layer

    return type("Member", (Member,), {"get_channel_layer": staticmethod(get_channel_layer)})


class House:
    """Connections on one layer, and a model of who is where."""

    def __init__(self, layer: RestlessLayer, groups: int) -> None:
        self.layer = layer
        self.groups = [f"group-{number}" for number in range(groups)]
        self.seats: list[Seat] = []
        self.model: dict[str, set[Seat]] = {group: set() for group in self.groups}
        self.leaves: Counter[tuple[str, Seat]] = Counter()

    async def fill(self, seats: int) -> None:
        """Connect so many; the layer does not fail yet."""
        kind = kind_on(self.layer)
        self.seats = [Seat(kind) for _ in range(seats)]
        for seat in self.seats:
            await seat.open()

    async def join(self, seat: Seat, group: str) -> None:
        """Join; who fails, or is interrupted, or has left meanwhile, is no member."""
        leaves = self.leaves[group, seat]
        try:
            await seat.consumer.join_group(group)
        except Exception:
            return
        if leaves == self.leaves[group, seat]:
            self.model[group].add(seat)

    async def leave(self, seat: Seat, group: str) -> None:
        """Leave; who is interrupted has left."""
        self.leaves[group, seat] += 1
        self.model[group].discard(seat)
        await seat.consumer.leave_group(group)

    async def check(self) -> None:
        """Compare the layer with the model, and what is delivered."""
        # After a failure that is noticed, whatever went wrong unnoticed is made good.
        self.layer.failures = 0.0
        for seat in self.seats:
            seat.heard.clear()
        self.layer.interrupt()
        for seat in self.seats:
            await seat.has_heard({RESYNC})
        assert self.layer.members() == {group: 1 for group, seats in self.model.items() if seats}
        for group in self.groups:
            # Exactly one for each member: `close()` looks at what has come in the end.
            message = {"action": "note", "payload": group}
            await self.layer.group_send(group, {"type": "handle_group_message", "message": message})
        for seat in self.seats:
            await seat.has_heard(self.of(seat))

    def of(self, seat: Seat) -> set[str]:
        """Return the groups of a connection."""
        return {group for group, seats in self.model.items() if seat in seats}

    async def close(self) -> None:
        """Disconnect everybody."""
        expected = {seat: sorted([*self.of(seat), RESYNC]) for seat in self.seats}
        await asyncio.gather(*(seat.leave() for seat in self.seats))
        assert {seat: sorted(seat.heard) for seat in self.seats} == expected
        assert self.layer.members() == {}


@asynccontextmanager
async def nothing_stays() -> AsyncGenerator[None]:
    """Check that no task and no group of a hub is left."""
    before = await tasks()
    yield
    left = await tasks() - before
    if left:
        _, left = await asyncio.wait(left, timeout=TIME_LIMIT)
    assert not left
    assert (snapshot().connections, snapshot().groups) == (0, 0)


async def tasks() -> set[asyncio.Task[Any]]:
    """Return the tasks of the loop, without the one that asks."""
    return asyncio.all_tasks() - {asyncio.current_task()}


# 200 connections, 50 groups


@pytest.mark.parametrize("failures", [0.0, 0.05])
@pytest.mark.parametrize("seed", range(3))
async def test_members_are_those_of_the_model_after_a_storm(seed: int, failures: float) -> None:
    random = Random(seed)
    async with nothing_stays():
        house = House(RestlessLayer(Random(seed), failures=0.0), groups=50)
        await house.fill(200)
        house.layer.failures = failures
        await asyncio.gather(*(storm(house, seat, random) for seat in house.seats))
        await house.check()
        assert sum(map(len, house.model.values())) > 100
        await house.close()


async def storm(house: House, seat: Seat, random: Random) -> None:
    """Join and leave at random, one after the other, sometimes interrupted."""
    for _ in range(20):
        group = random.choice(house.groups)
        step = house.join if random.random() < 0.6 else house.leave
        task = asyncio.ensure_future(step(seat, group))
        if random.random() < 0.2:
            for _ in range(random.randrange(4)):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait([task])


# Any interleaving


class Races(RuleBasedStateMachine):
    """Joins and leaves of a few connections, each begun, interrupted and let go on whenever hypothesis likes."""

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        """Connect."""
        self.runner = asyncio.Runner()
        self.before = self.runner.run(tasks())
        self.house = House(RestlessLayer(Random(seed)), groups=2)
        self.runner.run(self.house.fill(3))
        self.steps: dict[tuple[int, int, bool], asyncio.Task[None]] = {}

    @rule(seat=st.integers(0, 2), group=st.integers(0, 1), joins=st.booleans())
    def step(self, seat: int, group: int, joins: bool) -> None:
        """Begin a join or a leave, unless this connection is at it with this group. A leave may overtake a join."""
        running = self.steps.get((seat, group, joins))
        if running is None or running.done():
            who, where = self.house.seats[seat], self.house.groups[group]
            step = self.house.join if joins else self.house.leave
            self.steps[seat, group, joins] = self.runner.get_loop().create_task(step(who, where))

    @precondition(lambda self: self.steps)
    @rule(data=st.data())
    def interrupt(self, data: st.DataObject) -> None:
        """Cancel one of them."""
        self.steps[data.draw(st.sampled_from(sorted(self.steps)))].cancel()

    @rule(number=st.integers(1, 6))
    def turns(self, number: int) -> None:
        """Let the loop turn."""
        self.runner.run(turns(number))

    @rule(failures=st.sampled_from([0.0, 0.0, 0.2, 0.5]))
    def weather(self, failures: float) -> None:
        """Let the layer fail more or less often."""
        self.house.layer.failures = failures

    def teardown(self) -> None:
        """Compare, and disconnect."""
        if hasattr(self, "runner"):
            with self.runner:
                self.runner.run(self._end())

    async def _end(self) -> None:
        if self.steps:
            await asyncio.wait(self.steps.values(), timeout=TIME_LIMIT)
        await self.house.check()
        await self.house.close()
        assert await tasks() <= self.before


async def turns(number: int) -> None:
    """Let the loop turn."""
    for _ in range(number):
        await asyncio.sleep(0)


Races.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
test_races = Races.TestCase


# A leave that overtakes a join


@pytest.fixture
async def house() -> AsyncGenerator[House]:
    """Two connections, and a group that the first is about to leave while the layer takes its time."""
    async with nothing_stays():
        house = House(RestlessLayer(Random(0)), groups=1)
        await house.fill(2)
        first, _ = house.seats
        await house.join(first, "group-0")
        house.layer.gate = asyncio.Event()
        leaving = asyncio.create_task(house.leave(first, "group-0"))
        await turns(5)
        yield house
        await leaving
        await house.close()


async def test_leave_that_comes_while_a_join_waits_is_the_last_word(house: House) -> None:
    """The join waits for the end of another's membership; meanwhile another task of its connection leaves."""
    _, second = house.seats
    joining = asyncio.create_task(second.consumer.join_group("group-0"))
    await turns(5)
    await second.consumer.leave_group("group-0")
    assert house.layer.gate is not None
    house.layer.gate.set()
    await joining
    await house.check()


async def test_end_that_comes_while_a_join_waits_is_the_last_word(house: House) -> None:
    """Somebody's task joins for a connection that ends meanwhile."""
    _, second = house.seats
    joining = asyncio.create_task(second.consumer.join_group("group-0"))
    await turns(5)
    leaving = asyncio.create_task(second.leave())
    await turns(20)
    assert house.layer.gate is not None
    house.layer.gate.set()
    await joining
    await leaving
    house.seats.remove(second)
    await house.check()


async def test_leave_that_comes_while_its_own_join_opens_the_group_is_the_last_word() -> None:
    """However far the join has come."""
    async with nothing_stays():
        house = House(RestlessLayer(Random(0)), groups=1)
        await house.fill(1)
        (seat,) = house.seats
        for pause in range(15):
            joining = asyncio.create_task(seat.consumer.join_group("group-0"))
            await turns(pause)
            await seat.consumer.leave_group("group-0")
            await joining
            await turns(30)
            assert house.layer.members() == ({"group-0": 1} if pause == 0 else {}), pause
            await seat.consumer.leave_group("group-0")
        await house.check()
        await house.close()


# The last connection leaves while the layer is away


async def test_what_could_not_be_left_is_left_by_the_next_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody waits for the layer then, and nothing of it stays when the layer is back and used again."""
    async with nothing_stays():
        house = House(RestlessLayer(Random(0)), groups=3)
        await house.fill(1)
        for group in house.groups:
            await house.join(house.seats[0], group)
        house.layer.failures = 1.0
        await house.seats[0].leave()
        assert house.layer.members() == dict.fromkeys(house.groups, 1)
        assert caplog.text.count("Could not leave group") == 3

        house.layer.failures = 0.0
        await house.fill(1)
        await turns(50)
        assert house.layer.members() == {}
        await house.seats[0].leave()
