"""Draining before a server is told to stop, by the lifespan of an application of Channels."""

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from channels.routing import ProtocolTypeRouter

from chanx.channels.shutdown import lifespan
from chanx.channels.testing import WebsocketCommunicator
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage


class SlowConsumer(AsyncJsonWebsocketConsumer):
    started: asyncio.Event
    may_finish: asyncio.Event

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        self.started.set()
        await self.may_finish.wait()
        return PongMessage()


class Server:
    """Does what uvicorn does: takes the signal, and speaks the lifespan protocol (ASGI, "Lifespan")."""

    def __init__(self, application: Any) -> None:
        self.told = asyncio.Event()
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._lifespan = asyncio.ensure_future(
            application({"type": "lifespan"}, self._events.get, self._answers.put)
        )

    def handle_exit(self, number: int, frame: Any) -> None:
        self.told.set()

    async def tell(self, event: str) -> str:
        """Send one lifespan event and return the type of the answer."""
        await self._events.put({"type": event})
        async with asyncio.timeout(1):
            answer = await self._answers.get()
        return str(answer["type"])

    async def ends(self) -> None:
        async with asyncio.timeout(1):
            await self._lifespan


@pytest.fixture
def handled() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("handled")
async def test_handlers_finish_before_the_server_is_told() -> None:
    SlowConsumer.started, SlowConsumer.may_finish = asyncio.Event(), asyncio.Event()
    application = ProtocolTypeRouter({"websocket": SlowConsumer.as_asgi(), "lifespan": lifespan})
    server = Server(application)
    signal.signal(signal.SIGTERM, server.handle_exit)
    assert await server.tell("lifespan.startup") == "lifespan.startup.complete"

    ws = WebsocketCommunicator(application, "/ws", consumer=SlowConsumer)
    await ws.send_message(PingMessage())
    await SlowConsumer.started.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0)
    assert not server.told.is_set()
    SlowConsumer.may_finish.set()

    assert await ws.receive_message() == PongMessage()
    await ws.assert_closed(1012)
    async with asyncio.timeout(1):
        await server.told.wait()
    await ws.wait()
    assert await server.tell("lifespan.shutdown") == "lifespan.shutdown.complete"
    await server.ends()


async def test_without_a_signal_nothing_is_left() -> None:
    before = signal.getsignal(signal.SIGTERM)
    server = Server(lifespan)
    await server.tell("lifespan.startup")

    await server.tell("lifespan.shutdown")

    await server.ends()
    assert signal.getsignal(signal.SIGTERM) is before
