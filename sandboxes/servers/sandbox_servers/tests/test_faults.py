"""The channel layer's server fails in rounds: each message is received, or the client is notified of a loss.

A sender that stops after a fault is the hard case: no later message shows that one is missing.
"""

import asyncio
import itertools
import json
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Self

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from sandbox_servers.tests.peers import client, frame
from sandbox_servers.tests.served import Served, serving
from sandbox_servers.tests.servers import APPLICATIONS
from sandbox_servers.tests.valkey import Valkey, free_port, valkey_server

PEERS = 4  # in each of two processes; the first of each also sends
PROMISE = 2.0  # seconds until every client has received or is notified
LIMIT = 5.0  # the same with slack for a busy machine
TRAFFIC = 0.4  # seconds of traffic before a fault, and after it
MESSAGE_GAP = 0.01  # seconds between two messages of one sender
LONGEST_GAP = 2.5  # seconds before a quiet fault, and between it and the next message

ROOMS = ["queue", "pubsub"]
# What `servers-quick` takes of this module.
QUICK = [("uvicorn", "starlette", "queue"), ("daphne", "django", "pubsub")]


class Peer:
    """A client that always listens, sends when asked to, and reconnects after the close codes that ask for it."""

    def __init__(self, served: Served, url: str, changed: asyncio.Event) -> None:
        self.received: set[int] = set()
        self.notified: list[float] = []
        """When it was notified that messages may be lost: a resync, or a connection that began anew."""
        self.resyncs = 0
        self.closed: list[int | None] = []
        self._allowed_codes = {served.server.code(code) for code in (1012, 1013)}
        self._url = url
        self._changed = changed
        self._connection: Any = None
        self._answers: dict[str, asyncio.Future[bool]] = {}
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    @asynccontextmanager
    async def open(cls, served: Served, url: str, changed: asyncio.Event) -> AsyncGenerator[Self]:
        """Connect, and disconnect at the end."""
        peer = cls(served, url, changed)
        try:
            yield peer
        finally:
            peer._listening.cancel()
            await asyncio.wait([peer._listening])

    async def say(self, number: int) -> bool:
        """Send a number to the room; true if the handler answers without an error."""
        ref = f"r{number}"
        answer = self._answers[ref] = asyncio.get_running_loop().create_future()
        try:
            await self._connection.send(frame("say", str(number), ref=ref))
        except ConnectionClosed:
            return False
        return await answer

    @property
    def is_connected(self) -> bool:
        """True once the connection is a member of its groups."""
        return self._connection is not None

    @property
    def failure(self) -> str:
        """Why it no longer listens, or which close code it received that no fault explains."""
        if self._listening.done() and not self._listening.cancelled():
            return repr(self._listening.exception())
        wrong = [code for code in self.closed if code not in self._allowed_codes]
        return f"closed with {wrong}" if wrong else ""

    def lost(self, sent: dict[int, float]) -> list[int]:
        """Return the numbers that it neither received nor was notified of."""
        last = max(self.notified, default=0.0)
        return [number for number, at in sent.items() if at >= last and number not in self.received]

    async def _listen(self) -> None:
        while not self.failure:
            try:
                async with client(self._url) as connection:
                    # Membership begins before the first answer.
                    await connection.send(frame("ping"))
                    while True:
                        self._take(connection, json.loads(await connection.recv()))
            except ConnectionClosed as end:
                self.closed.append(1006 if end.rcvd is None else end.rcvd.code)
            except InvalidHandshake:
                pass  # not admitted while the layer does not answer
            self._end()

    def _take(self, connection: Any, message: dict[str, Any]) -> None:
        action, ref = message["action"], message.get("ref")
        if action == "say":
            self.received.add(int(message["payload"]))
        elif action == "pong":
            self._connection = connection
            self.notified.append(time.monotonic())
        elif action == "resync":
            self.resyncs += 1
            self.notified.append(time.monotonic())
        elif ref in self._answers:
            self._answers.pop(ref).set_result(action == "complete")
        self._changed.set()

    def _end(self) -> None:
        self._connection = None
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(False)
        self._answers.clear()
        self._changed.set()


class Cluster:
    """Two server processes on one Valkey, with clients in one room."""

    def __init__(self, servers: list[Served], valkey: Valkey, programs: ExitStack) -> None:
        self.servers = servers
        self.valkey = valkey
        self.application = servers[0].application
        self.case = ""
        self.peers: list[Peer] = []
        self.changed = asyncio.Event()
        self.sent: dict[int, float] = {}
        """When each number was sent whose sender got an answer without an error."""
        self.last_answer = 0.0
        self._numbers = itertools.count()
        self._programs = programs

    @classmethod
    @asynccontextmanager
    async def run(cls, server: str, application: str, room: str, case: str) -> AsyncGenerator[Self]:
        """Start everything and connect the clients; stop it at the end."""
        with ExitStack() as programs:
            valkey = programs.enter_context(valkey_server(free_port()))
            servers = [
                programs.enter_context(serving(server, application, valkey.url)) for _ in range(2)
            ]
            cluster = cls(servers, valkey, programs)
            async with cluster._clients(room, case):
                yield cluster

    @asynccontextmanager
    async def _clients(self, room: str, case: str) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            self.case = case
            for served in self.servers:
                url = served.url(room, case=case)
                self.peers += [
                    await stack.enter_async_context(Peer.open(served, url, self.changed))
                    for _ in range(PEERS)
                ]
            await self.until(lambda: all(peer.is_connected for peer in self.peers))
            yield

    @property
    def senders(self) -> list[Peer]:
        """One client in each process."""
        return [self.peers[0], self.peers[PEERS]]

    def start_valkey_again(self) -> None:
        """Start an empty Valkey on the port of the one that has ended."""
        port = int(self.valkey.url.split(":")[2].split("/")[0])
        self.valkey = self._programs.enter_context(valkey_server(port))

    async def say(self, sender: Peer) -> int:
        """Send the next number, and note it if the sender is told that it was sent."""
        number, at = next(self._numbers), time.monotonic()
        if await sender.say(number):
            self.sent[number] = at
            self.last_answer = time.monotonic()
        return number

    def lost(self, *, since: int = 0) -> dict[int, list[int]]:
        """Return which numbers are lost without a notification, by client."""
        sent = {number: at for number, at in self.sent.items() if number >= since}
        found = {index: peer.lost(sent) for index, peer in enumerate(self.peers)}
        return {index: numbers for index, numbers in found.items() if numbers}

    async def until(self, condition: Callable[[], bool]) -> bool:
        """Wait until a condition on the clients holds; false when it takes longer than the limit."""
        try:
            async with asyncio.timeout(LIMIT):
                while not condition():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            return False
        return True


# Faults

Fault = Callable[[Cluster], None]


def flush(cluster: Cluster) -> None:
    """Delete everything."""
    cluster.valkey.flush()


def restart(cluster: Cluster) -> None:
    """Kill the server and start it again."""
    cluster.valkey.program.kill()
    cluster.start_valkey_again()


def shut_down(cluster: Cluster) -> None:
    """Tell the server to end, and start it again."""
    cluster.valkey.shut_down()
    cluster.start_valkey_again()


def evict(cluster: Cluster) -> None:
    """Delete the members of the room."""
    cluster.valkey.evict(cluster.application, cluster.case)


def drop_normal(cluster: Cluster) -> None:
    """Close the connections that send and that read queues."""
    cluster.valkey.drop_clients("normal")


def drop_pubsub(cluster: Cluster) -> None:
    """Close the connections that have subscribed."""
    cluster.valkey.drop_clients("pubsub")


# Rounds


async def quietly(cluster: Cluster, fault: Fault, gap: random.Random) -> float:
    """Let a fault happen while nobody sends, then send one message in each process."""
    await asyncio.sleep(gap.uniform(0, LONGEST_GAP))
    await asyncio.to_thread(fault, cluster)
    await asyncio.sleep(gap.uniform(0, LONGEST_GAP / 2))
    for sender in cluster.senders:
        await cluster.say(sender)
    return time.monotonic()


async def under_traffic(cluster: Cluster, fault: Fault, gap: random.Random) -> float:
    """Let a fault happen while both processes send, which they stop some time later."""
    async with _traffic(cluster, MESSAGE_GAP) as stop:
        await asyncio.to_thread(fault, cluster)
        await asyncio.sleep(gap.uniform(0, TRAFFIC))
        stop.set()
    return time.monotonic()


async def at_the_end_of_traffic(cluster: Cluster, fault: Fault, gap: random.Random) -> float:
    """Let a fault happen at the moment at which both processes stop sending."""
    # As fast as the handlers answer, so that messages wait in the layer.
    async with _traffic(cluster, 0) as stop:
        stop.set()
        await asyncio.to_thread(fault, cluster)
        over = time.monotonic()
    return over


@asynccontextmanager
async def _traffic(cluster: Cluster, message_gap: float) -> AsyncGenerator[asyncio.Event]:
    """Send from both processes until the event is set."""
    stop = asyncio.Event()

    async def talk(sender: Peer) -> None:
        while not stop.is_set():
            await cluster.say(sender)
            await asyncio.sleep(message_gap)

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for sender in cluster.senders:
            group.create_task(talk(sender))
        await asyncio.sleep(TRAFFIC)
        yield stop


Way = Callable[[Cluster, Fault, random.Random], Awaitable[float]]
Round = tuple[Fault, Way]

EVERYWHERE: list[Round] = [
    (flush, quietly),
    (flush, under_traffic),
    (restart, at_the_end_of_traffic),
    (shut_down, under_traffic),
    (drop_normal, quietly),
    (drop_normal, under_traffic),
]
ROUNDS: dict[str, list[Round]] = {
    "queue": [*EVERYWHERE, (evict, quietly), (evict, under_traffic)],
    "pubsub": [*EVERYWHERE, (drop_pubsub, quietly), (drop_pubsub, under_traffic)],
}
QUICK_ROUNDS: dict[str, list[Round]] = {
    "queue": [(evict, under_traffic), (restart, at_the_end_of_traffic)],
    "pubsub": [(drop_pubsub, under_traffic), (restart, at_the_end_of_traffic)],
}


@pytest.mark.timeout(900)  # for a soak run
@pytest.mark.parametrize("application", APPLICATIONS)
@pytest.mark.parametrize("room", ROOMS)
async def test_no_fault_loses_silently(
    application: str, room: str, case: str, soak: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """16 rounds of faults, 40 in a soak run: received, or notified within 2 s, and nobody stays deaf."""
    rounds = ROUNDS[room] * (5 if soak else 2)
    await run(rounds, "uvicorn", application, room, case, capsys)


@pytest.mark.parametrize(("server", "application", "room"), QUICK)
async def test_end_of_traffic_loses_nothing_silently(
    server: str, application: str, room: str, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A membership or subscription, then the whole server, fails before the senders stop."""
    await run(QUICK_ROUNDS[room], server, application, room, case, capsys)


async def run(
    rounds: list[Round],
    server: str,
    application: str,
    room: str,
    case: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Run rounds of faults one after the other, and print the slowest time until all were notified."""
    seed = random.randrange(2**32)
    gap = random.Random(seed)
    slowest = {fault.__name__: 0.0 for fault, _ in rounds}
    async with Cluster.run(server, application, room, case) as cluster:
        for index, (fault, way) in enumerate(rounds):
            where = f"round {index}, {fault.__name__} {way.__name__}, seed {seed}"
            took = await one_round(cluster, fault, way, gap, where)
            slowest[fault.__name__] = max(slowest[fault.__name__], took)
        assert not cluster.lost()
        losses = sum(len(cluster.sent.keys() - peer.received) for peer in cluster.peers)
        resyncs = sum(peer.resyncs for peer in cluster.peers)
    times = ", ".join(f"{name} {took:.2f} s" for name, took in slowest.items())
    with capsys.disabled():
        print(f" {len(rounds)} rounds, {losses} losses, {resyncs} resyncs; slowest: {times}")  # noqa: T201
    assert losses, "no fault lost anything"


async def one_round(
    cluster: Cluster, fault: Fault, way: Way, gap: random.Random, where: str
) -> float:
    """Return how many seconds after a fault every client had received everything, or was notified."""
    first = max(cluster.sent, default=0)
    over = await way(cluster, fault, gap)
    # A message that was under way may be sent later, once the layer has reconnected.
    over = max(over, cluster.last_answer)
    is_settled = await settle(cluster, first)
    took = time.monotonic() - over
    assert is_settled, f"silent: {where}\n{report(cluster)}"
    assert await all_receive(cluster), f"deaf: {where}\n{report(cluster)}"
    failures = [peer.failure for peer in cluster.peers if peer.failure]
    assert not failures, f"{failures}: {where}\n{report(cluster)}"
    if took > PROMISE:
        end = clock(time.time() - time.monotonic() + over)
        print(f"slow, {took:.2f} s after {end}: {where}\n{report(cluster)}")  # noqa: T201
    return took


async def settle(cluster: Cluster, since: int) -> bool:
    """Wait until no number from this one on is lost; false when it takes longer than the limit."""
    return await cluster.until(lambda: not cluster.lost(since=since))


async def all_receive(cluster: Cluster) -> bool:
    """Send until each client has received a message of each process; before that, some may be lost with a resync."""
    try:
        async with asyncio.timeout(LIMIT):
            for sender in cluster.senders:
                while not await is_received(cluster, sender):
                    pass
    except TimeoutError:
        return False
    return True


async def is_received(cluster: Cluster, sender: Peer) -> bool:
    """Send one message; true if each client receives it."""
    number = await cluster.say(sender)
    await settle(cluster, number)
    return all(number in peer.received for peer in cluster.peers)


def report(cluster: Cluster) -> str:
    """Return what a failed round needs to be understood."""
    # The logs have the time of day.
    offset = time.time() - time.monotonic()
    peers = "\n".join(
        f"client {index}: lost {peer.lost(cluster.sent)[:20]}, closed {peer.closed},"
        f" notified at {[clock(at + offset) for at in peer.notified[-3:]]}"
        for index, peer in enumerate(cluster.peers)
    )
    logs = "\n".join(served.program.output()[-4000:] for served in cluster.servers)
    return f"{clock(time.time())}\n{peers}\n{logs}"


def clock(seconds: float) -> str:
    """Return a time of day as the logs of the servers have it."""
    return datetime.fromtimestamp(seconds, UTC).time().isoformat("milliseconds")
