"""The channel layer's server goes away, and comes back without its memory."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import Any, TypeVar

import pytest
from websockets.exceptions import ConnectionClosed

from sandbox_servers.tests.peers import ask, client, close_code, frame
from sandbox_servers.tests.served import Served, serving
from sandbox_servers.tests.servers import APPLICATIONS
from sandbox_servers.tests.valkey import free_port, valkey_server

PEERS = 10
RATE = 200  # messages a second
DOWN = 1.6  # seconds
BACK = 5.0  # seconds within which everybody hears again
BOUND = 2.0  # seconds that one step may take while nothing answers
SLACK = 0.5  # seconds for everything else on the way
MOST_TRACEBACKS = 6  # each of the exceptions with which a client of Redis may fail, before the layer is back and after

T = TypeVar("T")

pytestmark = [
    pytest.mark.parametrize("application", APPLICATIONS),
    pytest.mark.parametrize("room", ["queue", "pubsub"]),
]


class Listener:
    """A peer that hears everything, to the end of its connection."""

    def __init__(self, peer: Any) -> None:
        self.peer = peer
        self.heard: list[str] = []
        self.code: int | None = None
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            while True:
                self.heard.append(json.loads(await self.peer.recv())["action"])
        except ConnectionClosed:
            self.code = self.peer.close_code

    @property
    def has_recovered(self) -> bool:
        """True when it was told that it may have missed something, and hears again; or was closed for that."""
        if self.code is not None:
            return self.code in (1012, 1013)
        return "resync" in self.heard and "say" in self.heard[self.heard.index("resync") :]

    async def stop(self) -> None:
        """Listen no more."""
        self._listening.cancel()
        await asyncio.wait([self._listening])


@asynccontextmanager
async def listeners(served: Served, room: str, case: str) -> AsyncGenerator[list[Listener]]:
    """Connect peers that listen."""
    async with AsyncExitStack() as stack:
        url = served.url(room, case=case)
        peers = [await stack.enter_async_context(client(url)) for _ in range(PEERS)]
        listening = [Listener(peer) for peer in peers]
        yield listening
        for listener in listening:
            await listener.stop()


async def talk(peer: Any) -> None:
    """Say something 200 times a second, whatever comes of it."""
    with_reading = asyncio.create_task(close_code(peer, within=60))
    try:
        while True:
            await peer.send(frame("say", "hello"))
            await asyncio.sleep(1 / RATE)
    finally:
        with_reading.cancel()


async def until(condition: Any, within: float) -> None:
    """Look again and again until the condition holds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - what comes from outside sets no event
            await asyncio.sleep(0.01)


async def test_everybody_hears_again(application: str, room: str, case: str) -> None:
    """Killed while 10 peers hear 200 messages a second, away for 1.6 s, back empty.

    The process lives. Within 5 s each peer hears again and was told that it may have missed something, or
    was closed with 1012 or 1013. The log has one line for the outage, not one for each connection, and a few
    tracebacks, not one for each of the hundreds of messages.
    """
    port = free_port()
    with ExitStack() as programs:
        valkey = programs.enter_context(valkey_server(port))
        served = programs.enter_context(serving("uvicorn", application, valkey.url))
        async with (
            listeners(served, room, case) as peers,
            client(served.url(room, case=case)) as talker,
        ):
            talking = asyncio.create_task(talk(talker))
            await until(lambda: all("say" in peer.heard for peer in peers), 5)

            await asyncio.to_thread(valkey.program.kill)
            await asyncio.sleep(DOWN)
            for peer in peers:
                peer.heard.clear()
            programs.enter_context(valkey_server(port))

            await until(lambda: all(peer.has_recovered for peer in peers), BACK)
            talking.cancel()
            assert (await served.state())["connections"] > 0
        lines = await served.written()
    assert len([line for line in lines if "Channel layer failed" in line]) == 1
    assert len([line for line in lines if "Channel layer is back" in line]) == 1
    failures = [line for line in lines if "Failed to process message" in line]
    assert len([line for line in failures if "Traceback" in line]) <= MOST_TRACEBACKS
    assert sum(json.loads(line).get("not_logged", 0) for line in failures) > MOST_TRACEBACKS


async def test_every_step_is_bounded(application: str, room: str, case: str) -> None:
    """While it is down: leaving, connecting, saying something take 2 s at most; afterwards nothing is left."""
    port = free_port()
    with ExitStack() as programs:
        valkey = programs.enter_context(valkey_server(port))
        served = programs.enter_context(serving("uvicorn", application, valkey.url))
        url = served.url(room, case=case)
        async with client(url) as talker:
            async with client(url) as leaving:
                await ask(leaving, "ping")
                await asyncio.to_thread(valkey.program.kill)
            await within_bound(served.until(lambda state: state["connections"] == 1, within=10))
            assert (await within_bound(ask(talker, "say", "hello")))["action"] == "error"
            async with client(url) as refused:
                assert await within_bound(close_code(refused)) == 1013

        anew = programs.enter_context(valkey_server(port))
        await served.until(lambda state: state["connections"] == 0, within=10)
        async with asyncio.timeout(BACK):
            while not await hears_itself(url):
                pass
        await served.until(lambda state: state["connections"] == 0)
        await until(lambda: anew.members(application, case) == 0, BOUND)


async def hears_itself(url: str) -> bool:
    """Connect and speak.

    A client that is told to try again later (1013), or that something may have been lost, tries again.
    """
    async with client(url) as peer:
        try:
            return bool((await ask(peer, "say", "hello"))["action"] == "say")
        except ConnectionClosed:
            assert peer.close_code == 1013
            return False


async def within_bound(step: Awaitable[T]) -> T:
    """Wait for a step, which may not take longer than 2 s."""
    began = time.monotonic()
    result = await step
    assert time.monotonic() - began <= BOUND + SLACK
    return result
