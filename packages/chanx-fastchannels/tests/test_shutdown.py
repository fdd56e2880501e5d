"""Draining before the server is told to stop."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from chanx.core.decorators import ws_handler
from chanx.fast_channels.shutdown import draining
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import WebsocketCommunicator

# A signal of Python's own that ends nothing when a test fails.
SIGNAL = signal.SIGTERM


class SlowConsumer(AsyncJsonWebsocketConsumer):
    started: asyncio.Event
    may_finish: asyncio.Event

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        self.started.set()
        await self.may_finish.wait()
        return PongMessage()


class Server:
    """Takes the signal as uvicorn does, before the application's lifespan begins."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.calls = 0

    def handle_exit(self, number: int, frame: Any) -> None:
        self.calls += 1
        self.told.set()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    before = signal.signal(SIGNAL, server.handle_exit)
    yield server
    signal.signal(SIGNAL, before)


@pytest.fixture(autouse=True)
def gates() -> None:
    SlowConsumer.started, SlowConsumer.may_finish = asyncio.Event(), asyncio.Event()


def connection() -> WebsocketCommunicator:
    return WebsocketCommunicator(SlowConsumer.as_asgi(), "/ws", consumer=SlowConsumer)


async def test_handlers_finish_before_the_server_is_told(server: Server) -> None:
    ws = connection()
    with draining():
        await ws.send_message(PingMessage())
        await SlowConsumer.started.wait()
        os.kill(os.getpid(), SIGNAL)
        await asyncio.sleep(0)
        assert not server.told.is_set()
        SlowConsumer.may_finish.set()

        assert await ws.receive_message() == PongMessage()
        await ws.assert_closed(1012)
        async with asyncio.timeout(1):
            await server.told.wait()
    await ws.wait()
    assert server.calls == 1
    assert signal.getsignal(SIGNAL) == server.handle_exit


async def test_a_second_signal_reaches_the_server_at_once(server: Server) -> None:
    ws = connection()
    with draining():
        await ws.send_message(PingMessage())
        await SlowConsumer.started.wait()
        os.kill(os.getpid(), SIGNAL)
        os.kill(os.getpid(), SIGNAL)

        assert server.calls == 1
        SlowConsumer.may_finish.set()
        await ws.receive_message()
        await ws.assert_closed(1012)
        await ws.wait()
    assert signal.getsignal(SIGNAL) == server.handle_exit


async def test_without_a_signal_nothing_is_left(server: Server) -> None:
    with draining():
        assert signal.getsignal(SIGNAL) != server.handle_exit

    assert signal.getsignal(SIGNAL) == server.handle_exit
    assert server.calls == 0


async def test_other_threads_are_left_alone(server: Server) -> None:
    """Signal handlers belong to the main thread; a server in another one handles none."""
    seen: list[Any] = []

    async def lifespan() -> None:
        with draining():
            seen.append(signal.getsignal(SIGNAL))

    thread = threading.Thread(target=lambda: asyncio.run(lifespan()))
    thread.start()
    await asyncio.to_thread(thread.join)

    assert seen == [server.handle_exit]
