"""A peer that sends faster than its messages are handled costs bounded memory, and nobody else's time."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sandbox_servers.tests.peers import RawPeer, ask, client, frame
from sandbox_servers.tests.served import Served
from sandbox_servers.tests.valkey import Valkey

MIB = 2**20
FLOOD = 100_000
# Daphne keeps them all in memory, and gives an application 10 s to come to the end of them.
FLOOD_THAT_IS_KEPT = 20_000
LENGTH = 200  # bytes of a frame, so that 100,000 are more than the buffers of two TCP stacks hold
CHUNK = 500
MORE = 100  # than a line and the queues of the servers hold
PINGS = 200


async def test_flood_to_a_waiting_handler_is_bounded(
    served: Served, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """100,000 pipelined frames to a waiting handler: the sender is blocked by TCP, tasks are bounded.

    RSS growth at most 50 MB, and another connection's ping p99 at most 50 ms meanwhile.
    """
    before = await served.state()
    number = FLOOD if served.server.pushes_back else FLOOD_THAT_IS_KEPT
    async with (
        client(served.url("work")) as other,
        flooding(served.url("work", case=case), "hold", number) as sending,
    ):
        await served.until(lambda state: "began" in state["notes"], case)
        p99 = await best_ping_p99(other)
        during = await served.state(case)
        assert sending.done() is not served.server.pushes_back
    await served.release(case)

    growth = during["rss"] - before["rss"]
    with capsys.disabled():
        print(f" p99 {p99 * 1000:.1f} ms, {growth / MIB:+.1f} MiB", end=" ")  # noqa: T201 - the figures are the point
    assert p99 <= 0.05
    assert growth <= 50 * MIB
    assert during["notes"] == ["began"]
    assert during["tasks"]["WorkQueue._work"] == 1


@asynccontextmanager
async def flooding(url: str, action: str, number: int) -> AsyncGenerator["asyncio.Task[None]"]:
    """Send so many frames, as fast as the server takes them; at the end the peer vanishes."""
    async with RawPeer.open(url) as peer:
        sending = asyncio.create_task(flood(peer, action, number))
        yield sending
        sending.cancel()


async def flood(peer: RawPeer, action: str, number: int) -> None:
    """Write so many frames, as fast as the server takes them."""
    size = min(number, CHUNK)
    chunk = peer.text(frame(action).ljust(LENGTH)) * size
    for _ in range(number // size):
        peer.write(chunk)
        await peer.drain()


async def best_ping_p99(peer: Any) -> float:
    """Return the best of three: on a machine that is busy with something else, one alone says little."""
    return min([await ping_p99(peer) for _ in range(3)])


async def ping_p99(peer: Any) -> float:
    """Return the seconds within which 99 of 100 pings are answered."""
    times: list[float] = []
    for _ in range(PINGS):
        began = time.monotonic()
        await ask(peer, "ping")
        times.append(time.monotonic() - began)
    return sorted(times)[PINGS * 99 // 100]


@pytest.mark.timeout(900)  # for a soak run
async def test_pipelined_pings_are_all_answered(served: Served, case: str, soak: bool) -> None:
    """Ping frames over a real socket, 10,000 (1e6 in a soak run), the sender blocked by TCP.

    Server RSS growth at most 50 MB, and all are answered.
    """
    rest = number = 1_000_000 if soak else 10_000
    before = await served.state()
    async with RawPeer.open(served.url("work", case=case)) as peer:
        sending = asyncio.create_task(flood(peer, "ping", number))
        while rest:
            pongs = await peer.frames(min(rest, 10_000))
            assert pongs == [{"action": "pong", "payload": None}] * len(pongs)
            rest -= len(pongs)
        await sending
        after = await served.state()

    assert after["rss"] - before["rss"] <= 50 * MIB


async def test_flooding_peer_that_vanishes_is_noticed_behind_its_handler(
    served: Served, valkey: Valkey, case: str
) -> None:
    """While its line is full its socket is not read: the price of pushing back, and documented as such.

    Its handlers go on, and nothing of it stays behind them.
    """
    group = f"{case}.left"
    async with flooding(served.url("queue", case=case), "hold", MORE):
        await served.until(lambda state: "began" in state["notes"], case)
    assert valkey.members(served.application, group) == 1
    await served.release(case)

    await served.until(lambda state: state["connections"] == 0, case, within=10)
    assert valkey.members(served.application, group) == 0


async def test_timeout_of_handlers_is_the_cure(served: Served, valkey: Valkey, case: str) -> None:
    """With a `handler_timeout` a peer that vanishes behind a full line is noticed, however its handlers hang."""
    group = f"{case}.left"
    async with flooding(served.url("timed", case=case), "hold", MORE):
        await served.until(lambda state: "began" in state["notes"], case)

    await served.until(lambda state: state["connections"] == 0, case, within=10)
    assert valkey.members(served.application, group) == 0
