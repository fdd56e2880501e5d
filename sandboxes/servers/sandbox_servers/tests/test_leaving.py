"""Clients that leave: nothing of theirs stays, and nobody is told of an error."""

import asyncio
import random

import pytest

from sandbox_servers.tests.eventually import eventually
from sandbox_servers.tests.peers import abort, ask, client, frame, receive, talk
from sandbox_servers.tests.served import Served, State
from sandbox_servers.tests.valkey import Valkey

HANDLERS = 50
BATCH = 25
MIB = 2**20
SPARE_FILES = 10  # some connections of the layer's pool come and go


@pytest.mark.parametrize("way", ["close", "abort"])
async def test_handlers_end_with_their_connections(served: Served, case: str, way: str) -> None:
    """Disconnect during 50 handlers: those that can finish within the grace do, the rest are cancelled.

    Then tasks 0 and error-level logs 0, although the ones that finished sent to peers that had gone.
    """
    async with asyncio.TaskGroup() as group:
        for number in range(HANDLERS):
            asked = frame("wait", 0.2) if number % 2 else frame("hold")
            group.create_task(leave_during(served, case, asked, way))

    state = await served.until(lambda state: state["connections"] == 0, case, within=2)
    notes = state["notes"]
    assert [notes.count(note) for note in ("began", "ended", "cancelled")] == [50, 25, 25]


async def leave_during(served: Served, case: str, asked: str, way: str) -> None:
    """Ask for something that takes a while, and leave when half of all handlers run."""
    async with client(served.url("work", case=case)) as peer:
        await peer.send(asked)
        await served.until(lambda state: state["notes"].count("began") == HANDLERS, case)
        if way == "abort":
            abort(peer)


async def test_sending_after_the_peer_has_gone_is_no_error(served: Served, case: str) -> None:
    """A handler that goes on sending to a peer that has left is not disturbed, only cancelled in the end."""
    async with client(served.url("work", case=case)) as peer:
        await peer.send(frame("stream", {"size": 100, "rate": 1000}))
        await receive(peer)
        abort(peer)

    state = await served.until(lambda state: state["connections"] == 0, case, within=2)
    assert state["notes"][:2] == ["began", "cancelled"]


@pytest.mark.parametrize("room", ["queue", "pubsub"])
async def test_aborts_under_broadcast_leave_no_ghosts(
    served: Served, valkey: Valkey, case: str, room: str, soak: bool
) -> None:
    """TCP abort under broadcast: 100 connects (400 in a soak run), ghosts 0, within 2 s."""
    rest = 400 if soak else 100
    patience = random.Random(rest)
    async with client(served.url(room, case=case)) as talker:
        talking = asyncio.create_task(talk(talker))
        while rest:
            rest -= BATCH
            stays = [patience.randrange(4) for _ in range(BATCH)]
            await asyncio.gather(*(abort_after(served, room, case, stay) for stay in stays))
        talking.cancel()

    await eventually(lambda: members(served, valkey, case) == [0, 0, 0], within=2)


async def abort_after(served: Served, room: str, case: str, stay: int) -> None:
    """Connect, hear so many words, and leave without one."""
    async with client(served.url(room, case=case)) as peer:
        for _ in range(stay):
            await receive(peer)
        abort(peer)


def members(served: Served, valkey: Valkey, case: str) -> list[int]:
    """Count the members of the three rooms of a case."""
    return [valkey.members(served.application, f"{case}{side}") for side in ("", ".left", ".right")]


@pytest.mark.timeout(900)  # for a soak run
@pytest.mark.logs("Failed to process message")
async def test_churn_leaves_nothing(
    served: Served, valkey: Valkey, case: str, soak: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Churn: 300 connects (10,000 in a soak run) in batches of 100, 3 groups each.

    1/3 clean, 1/3 abort, 1/3 exception. Members 0, tasks and open files baseline, RSS drift at most
    5 MB from the first fifth (2,000 connects) to the end.
    """
    batches = 100 if soak else 3
    states: list[State] = []
    for _ in range(batches):
        await asyncio.gather(*(WAYS[way % 3](served, case) for way in range(100)))
        await eventually(lambda: members(served, valkey, case) == [0, 0, 0], within=10)
        states.append(await served.until(lambda state: state["connections"] == 0))

    settled, last = states[batches // 5], states[-1]
    drift = last["rss"] - settled["rss"]
    with capsys.disabled():
        print(f" {drift / MIB:+.1f} MiB", end=" ")  # noqa: T201 - the figure is the point
    assert drift <= 5 * MIB
    assert last["files"] <= settled["files"] + SPARE_FILES


async def come_and_close(served: Served, case: str) -> None:
    """Connect, and leave with manners."""
    async with client(served.url("queue", case=case)) as peer:
        await ask(peer, "ping")


async def come_and_abort(served: Served, case: str) -> None:
    """Connect, and leave without."""
    async with client(served.url("queue", case=case)) as peer:
        await ask(peer, "ping")
        abort(peer)


async def come_and_fail(served: Served, case: str) -> None:
    """Connect, make a handler raise, and leave while that is still being logged."""
    async with client(served.url("queue", case=case)) as peer:
        await ask(peer, "break")
        abort(peer)


WAYS = (come_and_close, come_and_abort, come_and_fail)
