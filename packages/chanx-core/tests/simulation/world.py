"""Clients, consumers that go wrong wherever they can, and what must hold when all is over."""

import asyncio
import json
from collections.abc import Mapping
from contextvars import ContextVar
from random import Random
from typing import Any, ClassVar, Literal

from chanx.core import open_connections
from chanx.core._groups import hub
from chanx.core._groups.announcer import announcer_of
from chanx.core.authenticator import BaseAuthenticator
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.health import snapshot
from chanx.core.integration import Integration
from chanx.core.layers import LayerTraits
from chanx.core.probe import PROBE_KEY, ProbedConnection
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.type_defs import ASGIEvent, Scope

from .layer import FreeStormLayer, StormLayer
from .loop import run

__all__ = ["World"]

GROUPS = ["group-0", "group-1", "group-2"]
# Seconds of storm, and of fine weather afterwards, in which everybody must learn what was lost.
STORM, FINE = 8.0, 6.0

owner: ContextVar[object] = ContextVar("owner", default=None)
leaked: ContextVar[str] = ContextVar("leaked", default="")


class PanicError(BaseException):
    """What extensions raise: no Exception."""


# What user code does now and then.
_FAILURES: dict[str, type[BaseException]] = {
    "error": ValueError,
    "panic": PanicError,
    "cancelled": asyncio.CancelledError,
}
_PAUSES = {"turn": 0.0, "wait": 0.2, "long": 4.0}
_DEEDS = [
    *_FAILURES, *_PAUSES, "cancels itself", "join", "leave", "close", "task", "send", "variable",
]  # fmt: skip


class AskMessage(BaseMessage):
    """Asks for an answer, which may go wrong."""

    action: Literal["ask"] = "ask"
    payload: int


class SpeakMessage(BaseMessage):
    """Asks for a broadcast."""

    action: Literal["speak"] = "speak"
    payload: str


class WordMessage(BaseMessage):
    """A broadcast, numbered."""

    action: Literal["word"] = "word"
    payload: int


class RumourEvent(BaseMessage):
    """An event, which handlers may drop."""

    action: Literal["rumour"] = "rumour"
    payload: int


class Doubtful(BaseAuthenticator):
    """Lets in most, after a while."""

    async def authenticate(self, scope: Any) -> bool:
        """Decide, or go wrong."""
        consumer: Any = self.consumer
        await consumer.world.chaos(consumer)
        return bool(consumer.world.random.random() < 0.95)


class StormIntegration(Integration):
    """Knows the layers of the simulation."""

    def layer_traits(self, layer: Any) -> LayerTraits:
        """Say what is true of the layer."""
        return LayerTraits(has_free_channels=isinstance(layer, FreeStormLayer))


class Wild(ChanxWebsocketConsumerMixin[RumourEvent]):
    """Goes wrong wherever it can."""

    _integration = StormIntegration()
    world: ClassVar["World"]
    authenticator_class = Doubtful
    disconnect_grace = shutdown_grace = 0.5
    authentication_timeout = 3.0
    send_timeout = 2.0
    layer_timeout = 1.0
    outbound_frames = 8
    max_pending = 4

    def __init__(self) -> None:
        super().__init__()
        self.member_since: dict[str, float] = {}

    async def join_group(self, group: str) -> None:
        """Join, and note since when."""
        await super().join_group(group)
        # What is lost while the first member of a group comes may go unnoticed.
        self.member_since.setdefault(group, self.world.now + 0.25)

    async def leave_group(self, group: str) -> None:
        """Leave likewise."""
        self.member_since.pop(group, None)
        await super().leave_group(group)

    async def connect(self) -> None:
        """Accept, or go wrong."""
        if self.world.is_wild("connect"):
            await self.world.chaos(self)
        await self.accept()

    async def get_groups(self) -> list[str]:
        """Join some."""
        await self.world.chaos(self)
        return self.world.random.sample(GROUPS, 2)

    async def post_authentication(self) -> None:
        """Mark the context."""
        await self.world.chaos(self)
        owner.set(self)
        leaked.set("")  # what the handshake sets is the connection's

    @ws_handler
    async def ask(self, message: AskMessage) -> AskMessage:
        """Answer."""
        self.world.check_context(self)
        await self.world.chaos(self)
        return message

    @ws_handler(output_type=WordMessage)
    async def speak(self, message: SpeakMessage) -> None:
        """Broadcast."""
        self.world.check_context(self)
        await self.world.broadcast(self, message.payload)
        await self.world.chaos(self)

    @event_handler
    async def rumour(self, event: RumourEvent) -> None:
        """Hear."""
        self.world.check_context(self)
        await self.world.chaos(self)

    async def on_resync(self) -> None:
        """Hear that something was lost."""
        await self.world.chaos(self)

    async def disconnect(self, code: int) -> None:
        """Say goodbye, as tutorials do."""
        await self.world.chaos(self)
        await self.world.broadcast(self, self.world.random.choice(GROUPS))
        _ = self.channel_name


class Client:
    """One peer, and all that it was sent."""

    def __init__(self, world: "World", number: int) -> None:
        self.world = world
        self.number = number
        self.events: asyncio.Queue[ASGIEvent] = asyncio.Queue()
        self.heard: set[int] = set()
        self.answers: dict[str, int] = {}
        self.asked: list[str] = []
        self.resynced = -1.0
        self.joined: dict[str, float] = {}
        self.is_closed = False
        self.is_gone = False
        self.connection: ProbedConnection | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self.consumer: Any = world.consumer_class()
        self.consumer.client = self
        scope: Scope = {
            "type": "websocket",
            "path": "/",
            "headers": [],
            "query_string": b"heartbeat=1",
            PROBE_KEY: self._serve,
        }
        self.task = asyncio.create_task(self.consumer(scope, self.events.get, self._send))

    def _serve(self, connection: ProbedConnection) -> None:
        self.connection = connection

    async def _send(self, event: ASGIEvent) -> None:
        await self.reads.wait()
        if self.is_gone:
            raise ConnectionResetError
        if event["type"] == "websocket.close":
            self.is_closed = True
        elif event["type"] == "websocket.send":
            self._take(json.loads(event["text"]))

    def _take(self, frame: Mapping[str, Any]) -> None:
        if frame["action"] == "word":
            self.heard.add(frame["payload"])
        elif frame["action"] == "resync":
            self.resynced = self.world.now
        ref = frame.get("ref")
        if (
            ref is not None and frame["payload"] != -1
        ):  # what a handler sends by itself is not its last frame
            self.answers[ref] = self.answers.get(ref, 0) + 1

    async def live(self) -> None:
        """Send, read slowly now and then, and perhaps leave before the storm is over."""
        random = self.world.random
        self.events.put_nowait({"type": "websocket.connect"})
        stays = random.random() < 0.4
        end = self.world.now + (STORM if stays else random.random() * STORM)
        while self.world.now < end and not self.task.done():
            await asyncio.sleep(random.random() * 0.6)
            self._act(random)
            await asyncio.sleep(0)
        self.reads.set()
        if not stays:
            await self.leave()

    def _act(self, random: Random) -> None:
        for _ in range(random.choice((0, 1, 1, 6))):
            ref = f"{self.number}-{len(self.asked)}"
            text = random.choice(
                (
                    f'{{"action":"ask","payload":{random.randrange(9)},"ref":"{ref}"}}',
                    f'{{"action":"speak","payload":"{random.choice(GROUPS)}","ref":"{ref}"}}',
                    f'{{"action":"nonsense","ref":"{ref}"}}',
                )
            )
            self.asked.append(ref)
            self.events.put_nowait({"type": "websocket.receive", "text": text})
        if random.random() < 0.1:
            self.reads.clear() if self.reads.is_set() else self.reads.set()

    async def leave(self) -> None:
        """Leave in one of the ways in which clients and servers do."""
        way = self.world.random.choice(("clean", "clean", "abort", "cancel", "cancel twice"))
        self.is_gone = way == "abort"
        if way.startswith("cancel"):
            self.task.cancel()
            await asyncio.sleep(0.01)
        if way == "cancel twice":
            self.task.cancel()
        self.events.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait([self.task], timeout=30)
        assert self.task.done(), f"client {self.number} ({way}) never ends"


class World:
    """Everything that happens under one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.problems: list[str] = []
        self.trace: list[tuple[float, str]] = []
        self.said: dict[int, tuple[str, float]] = {}
        self.background: set[asyncio.Task[None]] = set()
        self.is_calm = False
        self.level = self.random.choice((0.0, 0.05, 0.2))
        # A subset of the hooks misbehaves: a world in which each does never gets far.
        self.wild = {
            name for name in ("connect", "hooks", "broadcast") if self.random.random() < 0.5
        }

    @property
    def now(self) -> float:
        """The virtual time."""
        return asyncio.get_running_loop().time()

    def is_wild(self, where: str) -> bool:
        """Tell whether something goes wrong there."""
        return where in self.wild

    @classmethod
    def simulate(cls, seed: int) -> "World":
        """Run one seed to its end, and collect what must not be."""
        world = cls(seed)
        reports = run(world.live, world.random)
        world.problems += [f"unhandled: {report}" for report in reports]
        return world

    async def live(self) -> None:
        """Let clients come and go through a storm, then look at what is left."""
        layer: Any = self.random.choice((StormLayer, FreeStormLayer))(self.random)
        self.layer = layer

        def find_layer(alias: str) -> Any:
            return layer

        options: dict[str, Any] = {
            "world": self,
            "get_channel_layer": staticmethod(find_layer),
            "message_concurrency": self.random.choice((1, 1, 3)),
            "log_websocket_message": False,
        }
        self.consumer_class = type("Wild", (Wild,), options)
        before = asyncio.all_tasks()
        clients = [Client(self, number) for number in range(self.random.randrange(2, 7))]
        weather = asyncio.create_task(self.weather())
        await asyncio.gather(*(client.live() for client in clients))
        await weather
        await asyncio.sleep(FINE)
        self.check_clients([client for client in clients if not client.task.done()])
        await asyncio.gather(*(client.leave() for client in clients))
        if self.background:
            await asyncio.wait(self.background)
        await self.visit()
        await asyncio.sleep(FINE)
        self.check_nothing_is_left(before)

    async def weather(self) -> None:
        """Change the weather until the storm is over."""
        end = self.now + STORM - 1
        while self.now < end:
            await asyncio.sleep(self.random.random() * 2)
            event = self.random.choice(("interrupt", "forget", "evict", "down", "restart", "none"))
            self.note(event)
            await self.happen(event)
        self.layer.is_down = False
        self.layer.is_fine = True
        self.is_calm = True

    async def happen(self, event: str) -> None:
        """Let something happen to the server."""
        match event:
            case "interrupt":
                self.layer.interrupt()
            case "forget":
                self.layer.forget()
            case "evict":
                self.layer.evict()
            case "down" | "restart":
                self.layer.is_down = True
                self.layer.forget()
                self.layer.interrupt()
                await asyncio.sleep(self.random.random() * 2 if event == "down" else 0)
                self.layer.is_down = False
            case _:
                pass

    # What consumers do

    async def chaos(self, consumer: Any) -> None:
        """Do something that user code may do, most of it wrong."""
        if self.is_calm or "hooks" not in self.wild or self.random.random() > self.level:
            return
        deed = self.random.choice(_DEEDS)
        self.note(f"{consumer.client.number} {deed}")
        if deed in _FAILURES:
            raise _FAILURES[deed]("secret")
        if deed in _PAUSES:
            await asyncio.sleep(self.random.random() * _PAUSES[deed])
        elif deed == "cancels itself":
            await self.cancel_itself()
        else:
            await self.use(consumer, deed)

    async def cancel_itself(self) -> None:
        """Cancel the task of the handler, and look at the result or not."""
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        if self.random.random() < 0.5:
            await asyncio.sleep(0)

    async def use(self, consumer: Any, deed: str) -> None:
        """Use what the library offers."""
        match deed:
            case "join":
                await consumer.join_group(self.random.choice(GROUPS))
            case "leave":
                await consumer.leave_group(self.random.choice(GROUPS))
            case "close":
                await consumer.close(4000)
            case "send":
                await consumer.send_message(AskMessage(payload=-1))
            case "variable":
                leaked.set(deed)
            case _:
                task = asyncio.create_task(self.later(consumer))
                self.background.add(task)
                task.add_done_callback(self.background.discard)

    async def later(self, consumer: Any) -> None:
        """Broadcast from a task of the user's own, which may outlive its connection."""
        await asyncio.sleep(self.random.random() * 3)
        try:
            await self.broadcast(consumer, self.random.choice(GROUPS))
            await consumer.broadcast_event(RumourEvent(payload=0), GROUPS)
        except Exception as error:
            self.note(f"background: {error!r}")

    async def broadcast(self, consumer: Any, group: str) -> None:
        """Say the next number to a group; what could not be sent is nobody's loss."""
        number = len(self.said) + 1
        self.said[number] = (group, self.now)
        try:
            await consumer.broadcast_message(WordMessage(payload=number), group)
        except BaseException:
            self.said[number] = ("", 0.0)
            raise

    def check_context(self, consumer: Any) -> None:
        """Every message finds the context of its own connection, and nothing of another message."""
        if owner.get() is not consumer and owner.get() is not None:
            self.problems.append(f"context of another connection at {self.now:.3f}")
        if leaked.get():
            self.problems.append(f"context of another message at {self.now:.3f}")

    def note(self, what: str) -> None:
        """Keep what happened, for those who look for a cause."""
        self.trace.append((self.now, what))

    # What must hold

    def check_clients(self, clients: list[Client]) -> None:
        """Who is still here was told everything: each message of its groups, or that some were lost."""
        for client in clients:
            if client.is_closed or client.connection is None or not client.connection.is_idle:
                if not client.is_closed:
                    self.problems.append(f"client {client.number} is stuck")
                continue
            self.check_answers(client)
            for group in client.consumer.groups:
                self.check_group(client, group)

    def check_answers(self, client: Client) -> None:
        """Each reference has one last frame; the handler of nonsense is nobody's, but its error is."""
        wrong = {ref: client.answers.get(ref, 0) for ref in client.asked}
        wrong = {ref: answers for ref, answers in wrong.items() if answers != 1}
        if wrong:
            self.problems.append(f"client {client.number}: not answered once: {wrong}")

    def check_group(self, client: Client, group: str) -> None:
        """Each number that was sent while it was a member has come, or it was told of a loss since."""
        since = client.consumer.member_since.get(group)
        if since is None:
            return
        for number, (name, at) in self.said.items():
            if name == group and at > since and number not in client.heard and client.resynced < at:
                self.problems.append(
                    f"client {client.number}: {number}, said to {group} at {at:.3f}, is lost in silence"
                )

    async def visit(self) -> None:
        """Let one more client come and go: it finds what could not be left during the storm."""
        for _ in range(2):
            client = Client(self, 99)
            client.events.put_nowait({"type": "websocket.connect"})
            await asyncio.sleep(1)
            client.events.put_nowait({"type": "websocket.disconnect", "code": 1000})
            await asyncio.wait([client.task])

    def check_nothing_is_left(self, before: set[asyncio.Task[Any]]) -> None:
        """Look at everything that could outlive a connection."""
        left = {
            "tasks": asyncio.all_tasks() - before,
            "connections": open_connections(),
            "groups": snapshot().groups,
            "hubs": len(hub.running_hubs()),
            "members": {group: [*members] for group, members in self.layer.groups.items()},
            "receivers": self.layer.receivers,
            # What outlives a connection has no public door.
            "bursts": len(announcer_of(self.layer)._bursts),  # pyright: ignore[reportPrivateUsage]
        }
        self.problems += [f"left: {what}: {found}" for what, found in left.items() if found]
