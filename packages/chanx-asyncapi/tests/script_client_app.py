"""What the tests of the JavaScript client talk to: an application, and a proxy that cuts and silences connections."""

import asyncio
import contextlib
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from chanx.core.decorators import channel, event_handler, ws_handler
from chanx.core.exceptions import MessageError
from chanx.core.history import History
from chanx.core.topic import Topic
from chanx.fast_channels.views import asyncapi_client_js
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage

# Any: it is not there where the tests of this package run alone.
uvicorn: Any = pytest.importorskip("uvicorn", reason="there is no uvicorn")

__all__ = ["SCENARIO", "Stage", "application", "running_stage"]

SCENARIO = Path(__file__).with_name("client_scenario.mjs")
PAGE = """<!doctype html><link rel="icon" href="data:,"><title>Scenario</title>
<script type="module" src="/page.mjs"></script>"""
PAGE_SCRIPT = """import * as client from '/asyncapi/client.js';
import { scenarios } from '/scenario.mjs';
globalThis.run = (name, proxied, control) => scenarios[name](client, proxied, control);
"""
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self' ws:; img-src data:"


class Count(BaseModel):
    items: int
    hold_after: int | None = None


class CountMessage(BaseMessage):
    action: Literal["count"] = "count"
    payload: Count


class ItemMessage(BaseMessage):
    action: Literal["item"] = "item"
    payload: int


class RepeatMessage(BaseMessage):
    """Needs no payload, and allows no null."""

    action: Literal["repeat"] = "repeat"
    payload: str = "default"


class RepeatedMessage(BaseMessage):
    action: Literal["repeated"] = "repeated"
    payload: str


class FailMessage(BaseMessage):
    action: Literal["fail"] = "fail"
    payload: None = None


class WaitMessage(BaseMessage):
    action: Literal["wait"] = "wait"
    payload: None = None


class DeployMessage(BaseMessage):
    action: Literal["deploy"] = "deploy"
    payload: str


class DeployedMessage(BaseMessage):
    action: Literal["deployed"] = "deployed"
    payload: bool


class ApproveMessage(BaseMessage):
    action: Literal["approve"] = "approve"
    payload: str


class ApprovedMessage(BaseMessage):
    action: Literal["approved"] = "approved"
    payload: bool


class OddMessage(BaseMessage):
    """Asks for frames that no client can use."""

    action: Literal["odd"] = "odd"
    payload: None = None


class EndMessage(BaseMessage):
    action: Literal["end"] = "end"
    payload: int


class SayMessage(BaseMessage):
    action: Literal["say"] = "say"
    payload: str


class SaidMessage(BaseMessage):
    action: Literal["said"] = "said"
    payload: str


class SavedMessage(BaseMessage):
    action: Literal["saved"] = "saved"
    payload: int


class RoomTopic(Topic[SaidMessage]):
    """One room."""

    pattern = "room:{name}"

    is_available = True

    async def authorize(self, name: str) -> bool:
        Progress.asked[name] += 1
        if name.startswith("flaky") and Progress.asked[name] == 2:
            raise ConnectionError
        if not RoomTopic.is_available:
            raise MessageError("unavailable", "Try again later")
        return name != "secret"

    @ws_handler
    async def handle_say(self, message: SayMessage) -> SavedMessage:
        await self.broadcast(SaidMessage(payload=message.payload))
        return SavedMessage(payload=len(message.payload))

    @event_handler
    async def handle_said(self, event: SaidMessage) -> SaidMessage:
        return event


class LogTopic(Topic[SaidMessage]):
    """A room whose events are kept."""

    pattern = "log:{name}"
    history = History(size=3)

    @event_handler
    async def handle_said(self, event: SaidMessage) -> SaidMessage:
        return event


class Progress:
    """What the streams have done."""

    sent = 0
    closed = 0
    published = 0
    asked: ClassVar[Counter[str]] = Counter()


@channel(name="agent_room")
class AgentConsumer(AsyncJsonWebsocketConsumer):
    """Streams, asks and has topics."""

    heartbeat_interval = 0.2
    topics = [RoomTopic, LogTopic]  # noqa: RUF012 - the documented way to write it
    requests = {ApproveMessage: ApprovedMessage}  # noqa: RUF012

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()

    @ws_handler
    async def handle_repeat(self, message: RepeatMessage) -> RepeatedMessage:
        return RepeatedMessage(payload=message.payload)

    @ws_handler
    async def handle_count(self, message: CountMessage) -> AsyncIterator[ItemMessage]:
        Progress.sent = 0
        try:
            for number in range(1, message.payload.items + 1):
                Progress.sent = number
                yield ItemMessage(payload=number)
                if number == message.payload.hold_after:
                    await asyncio.Event().wait()
        finally:
            Progress.closed += 1

    @ws_handler
    async def handle_fail(self, message: FailMessage) -> PongMessage:
        raise MessageError("declined", "Not today")

    @ws_handler(cancellable=True)
    async def handle_wait(self, message: WaitMessage) -> PongMessage:
        await asyncio.Event().wait()
        return PongMessage()

    @ws_handler
    async def handle_deploy(self, message: DeployMessage) -> DeployedMessage:
        question = ApproveMessage(payload=message.payload)
        answer = await self.request(question, ApprovedMessage, timeout=10)
        return DeployedMessage(payload=answer.payload)

    @ws_handler
    async def handle_odd(self, message: OddMessage) -> PongMessage:
        for text in ("not JSON", "[1]", "null", '{"action":"from_the_future","payload":1}'):
            await self.send(text_data=text)
        return PongMessage()

    @ws_handler
    async def handle_end(self, message: EndMessage) -> None:
        await self.close(message.payload)


class Proxy:
    """Passes bytes on to the server, until it is told to cut the connections or to say nothing."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.writers: set[asyncio.StreamWriter] = set()
        self.accepted = 0
        self.refuses = 0
        self._silences: list[dict[str, bool]] = []

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a client."""
        self.accepted += 1
        if self.refuses:
            self.refuses -= 1
            writer.transport.abort()
            return
        inner, outer = await asyncio.open_connection("127.0.0.1", self.target)
        self.writers |= {writer, outer}
        silent = {"is": False}
        passing = [self._pass(reader, outer, silent), self._pass(inner, writer, silent)]
        self._silences.append(silent)
        await asyncio.gather(*passing)
        self.writers -= {writer, outer}

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silent: dict[str, bool]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not silent["is"]:
                    writer.write(data)
                    await writer.drain()
        if not silent["is"]:
            writer.close()

    def cut(self) -> None:
        """Abort every connection, as a server that is killed does."""
        for writer in self.writers:
            writer.transport.abort()

    def silence(self) -> None:
        """Swallow what the connections of now carry, in both directions."""
        for silent in self._silences:
            silent["is"] = True


class Stage:
    """The addresses of a running application."""

    def __init__(self, proxied: str, control: str) -> None:
        self.proxied = proxied
        self.control = control


async def publish(count: int) -> None:
    """Add to the history of a room."""
    for _ in range(count):
        Progress.published += 1
        await LogTopic.broadcast("log:a", SaidMessage(payload=str(Progress.published)))


async def obey(command: str, proxy: Proxy) -> None:
    """Do what a scenario asks for."""
    match command:
        case "cut":
            proxy.cut()
        case "silence":
            proxy.silence()
        case "refuse":
            proxy.refuses = 2
        case "publish":
            await publish(1)
        case "miss3" | "miss4":
            # Nobody can have connected again before the last of them.
            proxy.cut()
            await publish(int(command[-1]))
        case _:
            RoomTopic.is_available = command != "withdraw"


def application(proxy: Proxy | None = None) -> Starlette:
    """Make the application, with commands for a proxy."""
    proxy = proxy or Proxy(0)

    async def control(request: Request) -> Response:
        await obey(request.path_params["command"], proxy)
        state = {"sent": Progress.sent, "closed": Progress.closed, "accepted": proxy.accepted}
        return JSONResponse(state, headers={"Access-Control-Allow-Origin": "*"})

    def file(content: str, media_type: str) -> Any:
        async def serve(request: Request) -> Response:
            headers = {"Content-Security-Policy": POLICY}
            return Response(content, media_type=media_type, headers=headers)

        return serve

    return Starlette(
        routes=[
            Route("/control/{command}", control),
            Route("/asyncapi/client.js", asyncapi_client_js),
            Route("/page", file(PAGE, "text/html")),
            Route("/page.mjs", file(PAGE_SCRIPT, "text/javascript")),
            Route("/scenario.mjs", file(SCENARIO.read_text("utf-8"), "text/javascript")),
            WebSocketRoute("/ws/{room}", AgentConsumer.as_asgi()),
        ]
    )


@contextlib.contextmanager
def running_stage() -> Generator[Stage]:
    """Run the application and its proxy in a thread."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    proxy = Proxy(port)
    config = uvicorn.Config(
        application(proxy), ws="websockets-sansio", log_level="critical", lifespan="off"
    )
    server = uvicorn.Server(config)
    ready: list[int] = []
    loops: list[asyncio.AbstractEventLoop] = []
    is_ready = threading.Event()

    async def serve() -> None:
        front = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
        ready.append(front.sockets[0].getsockname()[1])
        loops.append(asyncio.get_running_loop())
        is_ready.set()
        async with front:
            await server.serve([listening])

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert is_ready.wait(10)
        yield Stage(f"http://127.0.0.1:{ready[0]}", f"http://127.0.0.1:{port}")
    finally:
        # A silenced connection would never end.
        loops[0].call_soon_threadsafe(proxy.cut)
        server.should_exit = True
        thread.join()
