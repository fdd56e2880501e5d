"""A server that is told to stop while handlers run."""

import asyncio
import json
import signal
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from sandbox_servers.tests.conftest import STACKS
from sandbox_servers.tests.peers import TIME_LIMIT, client, frame, receive
from sandbox_servers.tests.served import Served, serving, serving_with_drain
from sandbox_servers.tests.valkey import Valkey

HANDLERS = 50
EXIT = 6.0  # seconds

# What a peer still received, and its close code.
Outcome = tuple[list[float], int | None]

pytestmark = pytest.mark.parametrize(("server", "application"), STACKS)


@pytest.fixture
def seconds(soak: bool) -> float:
    """How long each handler takes."""
    return 3.0 if soak else 1.0


async def stopped(served: Served, valkey: Valkey, case: str, seconds: float) -> list[Outcome]:
    """Stop the server while 50 handlers run; return what its peers saw of it."""
    async with AsyncExitStack() as peers:
        url = served.url("patient", case=case)
        open_peers = [await peers.enter_async_context(client(url)) for _ in range(HANDLERS)]
        for peer in open_peers:
            await peer.send(frame("number", 1))
            await peer.send(frame("wait", seconds))
        for peer in open_peers:
            await receive(peer)  # the answer to the first, so it is the turn of the second
        assert valkey.members(served.application, case) == 1  # of the process, for all of them

        began = time.monotonic()
        served.program.send_signal(signal.SIGTERM)
        outcomes = await asyncio.gather(*(rest_of(peer) for peer in open_peers))
        await asyncio.to_thread(served.program.ends, EXIT)

    assert time.monotonic() - began <= EXIT
    return outcomes


async def rest_of(peer: Any) -> Outcome:
    """Read to the end of the connection."""
    received: list[float] = []
    async with asyncio.timeout(TIME_LIMIT):
        try:
            while True:
                received.append(json.loads(await peer.recv())["payload"])
        except ConnectionClosed:
            return received, peer.close_code


async def test_stock_server_leaves_nothing(
    server: str, application: str, valkey: Valkey, case: str, seconds: float
) -> None:
    """Graceful shutdown, SIGTERM with 50 running handlers, stock server.

    Close 1012 on 50 of 50, handlers finished or cancelled within the grace, exit within 6 s, group
    members 0.
    """
    with serving(server, application, valkey.url) as served:
        outcomes = await stopped(served, valkey, case, seconds)

    if served.server.always_ends_applications:
        assert valkey.members(served.application, case) == 0
    assert {code for _, code in outcomes} == {served.server.shutdown_code}
    assert [line for line in served.trouble() if line != served.server.last_words] == []


async def test_drain_answers_first(
    server: str, application: str, valkey: Valkey, case: str, seconds: float
) -> None:
    """With `drain()` called first: replies sent before the close, which is 1012 (4012 by daphne)."""
    with serving_with_drain(server, application, valkey.url) as served:
        outcomes = await stopped(served, valkey, case, seconds)

    assert valkey.members(served.application, case) == 0
    assert outcomes == [([seconds], served.server.code(1012))] * HANDLERS
    assert not served.trouble()
