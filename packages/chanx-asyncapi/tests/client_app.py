"""An application that generated clients talk to, on a real server that tests can kill."""

import asyncio
import importlib
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Literal

import uvicorn
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from chanx.asyncapi import ConsumerRoute, DocumentOptions, Parameter, generate_document
from chanx.asyncapi._client.python.emitter import python_files
from chanx.asyncapi._client.reading import read_client
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.history import History
from chanx.core.topic import Topic
from chanx.messages.base import BaseMessage

from .streaming_app import AgentConsumer, Progress

__all__ = [
    "Hub",
    "LineMessage",
    "LogTopic",
    "RoomTopic",
    "Server",
    "import_client",
    "serving",
    "write_client",
]


class Line(BaseModel):
    text: str


class SayMessage(BaseMessage):
    action: Literal["say"] = "say"
    payload: Line


class SaidMessage(BaseMessage):
    action: Literal["said"] = "said"
    payload: int


class LineMessage(BaseMessage):
    action: Literal["line"] = "line"
    payload: Line


class WaitMessage(BaseMessage):
    action: Literal["wait"] = "wait"
    payload: None = None


class WaitedMessage(BaseMessage):
    action: Literal["waited"] = "waited"
    payload: None = None


class NoticeMessage(BaseMessage):
    action: Literal["notice"] = "notice"
    payload: str


class NotifyMessage(BaseMessage):
    action: Literal["notify"] = "notify"
    payload: str


class RoomTopic(Topic[LineMessage]):
    """A room."""

    pattern = "room:{name}"
    holds: ClassVar[asyncio.Event | None] = None

    async def authorize(self, name: str) -> bool:
        if self.holds is not None:
            await self.holds.wait()
        return name != "secret"

    @ws_handler
    async def say(self, message: SayMessage) -> SaidMessage:
        await self.broadcast(LineMessage(payload=message.payload))
        return SaidMessage(payload=len(message.payload.text))

    @event_handler
    async def on_line(self, event: LineMessage) -> LineMessage:
        return event


class LogTopic(Topic[LineMessage]):
    """A room whose lines are kept."""

    pattern = "log:{name}"
    history = History(size=3)

    @event_handler
    async def on_line(self, event: LineMessage) -> LineMessage:
        return event


class Hub(AgentConsumer):
    """An agent with rooms."""

    topics = [RoomTopic, LogTopic]  # noqa: RUF012 - the documented way to write it
    seen: ClassVar[list[dict[str, str]]] = []
    emits = (NoticeMessage,)

    async def post_authentication(self) -> None:
        await super().post_authentication()
        self.seen.append({"path": self.scope["path"], "query": self.scope["query_string"].decode()})

    @ws_handler
    async def handle_notify(self, message: NotifyMessage) -> None:
        await self.send_message(NoticeMessage(payload=message.payload))
        if message.payload == "invalid":
            await self.send_json({"action": "notice", "payload": {"not": "text"}})
            await self.send_json({"action": "of a newer server"})

    @ws_handler(cancellable=True)
    async def handle_wait(self, message: WaitMessage) -> WaitedMessage:
        await asyncio.Event().wait()
        return WaitedMessage()


ROUTE = ConsumerRoute("/hub/{team}", (Parameter("team"),), Hub)


def write_client(folder: Path, *routes: ConsumerRoute) -> Path:
    """Write the client of some routes, as a package named as the folder."""
    document = generate_document(routes or [ROUTE], DocumentOptions(title="Hub"))
    for name, text in python_files(read_client(document)).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def import_client(folder: Path, module: str) -> ModuleType:
    """Import a module of a package that was written."""
    sys.path.insert(0, str(folder.parent))
    try:
        return importlib.import_module(f"{folder.name}.{module}")
    finally:
        sys.path.remove(str(folder.parent))


class Server:
    """A uvicorn on one port, which can be killed and started again."""

    def __init__(self, port: int = 0) -> None:
        Hub.progress = self.progress = Progress()
        self.port = port
        self._serving: Any = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = Starlette(routes=[WebSocketRoute("/hub/{team}", Hub.as_asgi())])
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self.port, log_level="critical", ws="websockets-sansio", lifespan="off",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._serving = uvicorn.Server(config)
        # It listens from here on: who connects before the server runs waits in the kernel.
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self._task = asyncio.create_task(self._serving._serve([listening]))

    async def kill(self) -> None:
        """Stop listening and abort every connection, as a crash does: no client may connect again meanwhile."""
        for listening in self._serving.servers:
            listening.close()
        for connection in [*self._serving.server_state.connections]:
            connection.transport.abort()
        await self.stop()

    async def stop(self) -> None:
        self._serving.should_exit = True
        if self._task is not None:
            await self._task


@asynccontextmanager
async def serving() -> AsyncGenerator[Server]:
    """Run a server, and stop it at the end."""
    server = Server()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
