"""Several server processes on one channel layer: what a group costs, order, and processes that are killed."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import Any

import pytest

from sandbox_servers.tests.eventually import eventually
from sandbox_servers.tests.peers import TIME_LIMIT, ask, client, frame, receive
from sandbox_servers.tests.served import Served, State, serving
from sandbox_servers.tests.servers import APPLICATIONS
from sandbox_servers.tests.valkey import Valkey, valkey_server

MESSAGES = 1000  # of each sender
WINDOW = 10  # messages that a sender is ahead of those who listen elsewhere
RECEIVERS = 5  # in each process
WORDS = 50
FEW, MANY = 5, 100
# Characters of a word whose cost is measured: heartbeats and announcements, which cost by the second, add little to it.
LENGTH = 10_000

pytestmark = [
    pytest.mark.parametrize("application", APPLICATIONS),
    pytest.mark.parametrize("room", ["queue", "pubsub"]),
]


@contextmanager
def processes(application: str, *, number: int = 2) -> Generator[tuple[Valkey, list[Served]]]:
    """Run so many servers on a Valkey of their own, so that its figures are theirs."""
    with ExitStack() as programs:
        valkey = programs.enter_context(valkey_server())
        servers = [
            programs.enter_context(serving("uvicorn", application, valkey.url))
            for _ in range(number)
        ]
        yield valkey, servers


@asynccontextmanager
async def members(served: Served, room: str, case: str, number: int) -> AsyncGenerator[list[Any]]:
    """Connect so many peers to the room of a case."""
    async with AsyncExitStack() as stack:
        url = served.url(room, case=case)
        yield [await stack.enter_async_context(client(url)) for _ in range(number)]


async def test_order_of_each_sender_is_kept(application: str, room: str, case: str) -> None:
    """1,000 messages of a sender in each of two processes, 10 receivers: in order, none lost, none twice."""
    with processes(application) as (_, servers):
        async with (
            members(servers[0], room, case, RECEIVERS + 1) as here,
            members(servers[1], room, case, RECEIVERS + 1) as there,
        ):
            receivers = here[1:] + there[1:]
            async with asyncio.timeout(55), asyncio.TaskGroup() as group:
                heard = [group.create_task(hear(peer, 2 * MESSAGES)) for peer in receivers]
                # By speaker and by listener.
                ahead = {pair: asyncio.Semaphore(WINDOW) for pair in ("aa", "ab", "ba", "bb")}
                group.create_task(say_in_order(here[0], "a", ahead))
                group.create_task(say_in_order(there[0], "b", ahead))

    for listening in heard:
        words = listening.result()
        for sender in "ab":
            said = [word for word in words if word.startswith(sender)]
            assert said == [f"{sender}{number}" for number in range(MESSAGES)]


async def say_in_order(peer: Any, name: str, ahead: dict[str, asyncio.Semaphore]) -> None:
    """Say one word after the other, never far ahead of what is heard of them in both processes.

    A layer has room for a hundred messages that a process has not yet taken.
    """

    async def listen() -> None:
        for _ in range(2 * MESSAGES):
            ahead[(await next_word(peer))[0] + name].release()

    async with asyncio.TaskGroup() as both:
        both.create_task(listen())
        for number in range(MESSAGES):
            for listener in "ab":
                await ahead[name + listener].acquire()
            await peer.send(frame("say", f"{name}{number}"))


async def hear(peer: Any, number: int) -> list[str]:
    """Return the next words."""
    return [await next_word(peer) for _ in range(number)]


async def next_word(peer: Any) -> str:
    """Return the next word; nothing else may come."""
    message = await receive(peer)
    assert message["action"] == "say", message
    word: str = message["payload"]
    return word


async def test_group_costs_by_process(application: str, room: str, case: str) -> None:
    """A group has two members in the layer, and a broadcast costs the same however many connections there are.

    Each process decodes it once, and writes it once, or twice where it has the sender.
    """
    with processes(application) as (valkey, servers):
        few = await cost(valkey, servers, room, f"{case}.few", FEW)
        many = await cost(valkey, servers, room, f"{case}.many", MANY)
    assert many <= 1.1 * few


async def cost(valkey: Valkey, servers: list[Served], room: str, case: str, number: int) -> float:
    """Return the bytes that Valkey sends for one broadcast to so many connections in each process."""
    here, there = servers
    async with (
        members(here, room, case, number) as some,
        members(there, room, case, number) as others,
    ):
        await heard_by_all([*some, *others], some[0], "first")
        assert valkey.members(here.application, case) == 2
        before = valkey.output_bytes(), await here.state(), await there.state()
        for word in range(WORDS):
            await heard_by_all([*some, *others], some[0], f"{word:0{LENGTH}}")
        sent = valkey.output_bytes() - before[0]
        assert counted(before[1], await here.state()) == (WORDS, 2 * WORDS)
        assert counted(before[2], await there.state()) == (WORDS, WORDS)
    await eventually(lambda: valkey.members(here.application, case) == 0, within=5)
    return sent / WORDS


async def heard_by_all(peers: list[Any], speaker: Any, word: str) -> None:
    """Say something, and wait until everybody has heard it."""
    await speaker.send(frame("say", word))
    async with asyncio.timeout(TIME_LIMIT):
        assert set(await asyncio.gather(*map(next_word, peers))) == {word}


def counted(before: State, after: State) -> tuple[int, int]:
    """Return how many messages of the layer a process has decoded, and how many frames it has written for them."""
    layer_messages: int = after["layer_messages"] - before["layer_messages"]
    encodings: int = after["encodings"] - before["encodings"]
    return layer_messages, encodings


async def test_killed_process_leaves_one_ghost(application: str, room: str, case: str) -> None:
    """SIGKILL with 50 members: at most one of them stays, and the process that takes over serves its own."""
    with processes(application) as (valkey, (killed, other)):
        async with members(killed, room, case, 50) as peers:
            await heard_by_all(peers, peers[0], "hello")
            await asyncio.to_thread(killed.program.kill)
        assert valkey.members(application, case) <= 1
        async with members(other, room, case, FEW) as peers:
            for word in range(WORDS):
                await heard_by_all(peers, peers[0], str(word))
            assert valkey.members(application, case) <= 2
            assert (await ask(peers[0], "ping"))["action"] == "pong"
        await eventually(lambda: valkey.members(application, case) <= 1, within=5)
