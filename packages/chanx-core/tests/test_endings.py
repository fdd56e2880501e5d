"""How connections end, seen from the server's side of ASGI."""

import asyncio
import gc
from typing import Any, ClassVar
from weakref import WeakSet

from chanx.core import drain, open_connections
from chanx.core.decorators import ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.type_defs import ASGIEvent, Scope

PING = '{"action": "ping", "payload": null}'
FRAMES = 100


class Server:
    """Hands events over through a queue of ten, as hypercorn does, and waits for room in it."""

    def __init__(self, consumer: type[ChanxWebsocketConsumerMixin[Any]]) -> None:
        self.sent: list[ASGIEvent] = []
        self.queue: asyncio.Queue[ASGIEvent] = asyncio.Queue(10)
        self.news = asyncio.Semaphore(0)
        scope: Scope = {"type": "websocket", "path": "/", "headers": []}
        self.application = asyncio.create_task(consumer()(scope, self.queue.get, self._send))

    async def hand_over(self, frames: int) -> None:
        """Hand over the handshake and so many pings."""
        await self.queue.put({"type": "websocket.connect"})
        for _ in range(frames):
            await self.queue.put({"type": "websocket.receive", "text": PING})

    async def _send(self, event: ASGIEvent) -> None:
        self.sent.append(event)
        self.news.release()

    async def has_sent(self, events: int) -> None:
        """Wait until the application has sent so many more events."""
        for _ in range(events):
            await self.news.acquire()

    def close_codes(self) -> list[int]:
        """Return the codes with which the application closed."""
        return [event["code"] for event in self.sent if event["type"] == "websocket.close"]


class Closing(ChanxWebsocketConsumerMixin[Any]):
    """Closes at the first message."""

    handled: ClassVar[list[str]]

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Close."""
        self.handled.append("ping")
        await self.close(4000)
        return PongMessage()


async def test_what_came_before_a_close_is_taken_from_the_server() -> None:
    """A server that waits for room in its queue is not left waiting; nothing of it is handled."""
    Closing.handled = []
    server = Server(Closing)
    async with asyncio.timeout(5):
        await server.hand_over(FRAMES)
        await server.application
    assert server.queue.empty()
    assert server.close_codes() == [4000]
    assert Closing.handled == ["ping"]


class Leaving(ChanxWebsocketConsumerMixin[Any]):
    """Takes a while to leave."""

    left: ClassVar[list[int]]

    async def disconnect(self, code: int) -> None:
        """Leave."""
        for _ in range(10):
            await asyncio.sleep(0)
        self.left.append(code)


async def test_drain_returns_when_connections_have_ended() -> None:
    """A server that stops right behind it cuts nothing off: not the hook, and not the groups."""
    Leaving.left = []
    servers = [Server(Leaving) for _ in range(3)]
    async with asyncio.timeout(5):
        for server in servers:
            await server.hand_over(0)
            await server.has_sent(1)
        await drain()
    assert Leaving.left == [1012] * 3
    assert open_connections() == 0
    assert [server.close_codes() for server in servers] == [[1012]] * 3


class Remembered(ChanxWebsocketConsumerMixin[Any]):
    """Is known for as long as it exists."""

    alive: ClassVar[WeakSet[ChanxWebsocketConsumerMixin[Any]]] = WeakSet()

    def __init__(self) -> None:
        super().__init__()
        self.alive.add(self)

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        return PongMessage()


async def test_ended_connection_is_let_go() -> None:
    """No timer of a connection that has ended keeps it in memory: neither for frames that waited, nor for sends."""
    server = Server(Remembered)
    async with asyncio.timeout(5):
        await server.hand_over(2)  # they wait until the connection is open
        await server.has_sent(3)
        assert len(Remembered.alive) == 1
        await server.queue.put({"type": "websocket.disconnect", "code": 1000})
        await server.application
    gc.collect()
    assert len(Remembered.alive) == 0
