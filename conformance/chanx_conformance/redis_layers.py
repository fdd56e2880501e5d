"""Groups on layers on Redis, on a real server."""

import asyncio
import socket
import traceback
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Literal

import pytest

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.testing.valkey import Valkey, valkey_binary, valkey_server
from chanx_conformance.models import WordMessage
from chanx_conformance.suite import LayerKind, Suite

__all__ = ["RedisLayerTests"]

# Seconds for whatever takes a round trip to the server; a busy machine needs some of them.
PATIENCE = 10.0
# So many event loops meet a lock of an earlier one, where the layer keeps it.
LOOPS = 10


class WordEvent(BaseMessage):
    """What the server tells members."""

    action: Literal["word_event"] = "word_event"
    payload: None = None


class Speaker(ChanxWebsocketConsumerMixin[Any]):
    """Says things to its groups, and hears them."""

    groups: list[str] = [f"square-{number}" for number in range(5)]  # noqa: RUF012 - as documented

    @ws_handler(output_type=WordMessage)
    async def word(self, message: WordMessage) -> None:
        """Broadcast."""
        await self.broadcast_message(message)

    @event_handler
    async def tell(self, event: WordEvent) -> None:
        """Take it."""


class RedisLayerTests(Suite):
    """What a layer on a server does that one in memory does not."""

    @pytest.fixture
    def valkey(self) -> Generator[Valkey]:
        """Run a server for one test."""
        if valkey_binary() is None:
            pytest.skip("There is no Valkey for this platform.")
        with valkey_server() as server:
            yield server

    @pytest.fixture
    def layer(self) -> None:
        """Register none: each test does."""

    @pytest.fixture(autouse=True)
    def nothing_left(self) -> None:
        """Check nothing: the libraries keep a task of a layer whose server is down."""

    @contextmanager
    def on_redis(self, kind: LayerKind, url: str) -> Generator[Any]:
        """Register a layer on a server."""
        layer = self.make_layer(kind, url)
        with self.registered(layer):
            yield layer

    def test_event_loops_after_one_another(
        self, valkey: Valkey, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A connection that ends while messages arrive leaves no lock for the next loop to wait for."""
        with self.on_redis("queue", valkey.url):
            for _ in range(LOOPS):
                asyncio.run(self.leave_while_messages_arrive())
        assert "Channel layer failed" not in caplog.text

    async def leave_while_messages_arrive(self) -> None:
        """Say much, hear the first, and go."""
        async with self.connect(Speaker) as ws, self.connect(Speaker):
            for number in range(20):
                await ws.send_message(WordMessage(payload=number))
            await ws.receive_json_from(timeout=PATIENCE)

    async def test_message_whose_acknowledgement_is_lost_is_delivered_once(
        self, valkey: Valkey
    ) -> None:
        """The layer receives it again; its number has been seen."""
        async with losing_acknowledgements(valkey.port) as proxy:
            with self.on_redis("queue", proxy.url):
                async with self.connect(Speaker, groups=["square"]) as ws:
                    await ws.send_message(WordMessage(payload=1))
                    await ws.send_message(WordMessage(payload=2))
                    heard = [await ws.receive_json_from(timeout=PATIENCE) for _ in range(2)]
        assert proxy.lost == 1
        assert [frame["payload"] for frame in heard] == [1, 2]

    @pytest.mark.parametrize("kind", ["queue", "pubsub"])
    async def test_layer_that_is_down_is_named(
        self, kind: LayerKind, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The log and the errors say which setting it is, and where; no password shows."""
        port = free_port()
        with self.on_redis(kind, f"redis://ada:secret@127.0.0.1:{port}/0") as layer:
            ws = self.connect(Speaker)
            await ws.connect()
            await ws.assert_closed(1013, timeout=PATIENCE)
            await ws.disconnect()
            with pytest.raises(Exception, match=str(port)) as raised:
                await ws.consumer.broadcast_event(WordEvent(), "square")
        name = f"{self.layer_setting} ({type(layer).__name__} at 127.0.0.1:{port})"
        log = caplog.text
        error = "".join(traceback.format_exception(raised.value))
        assert name in log
        assert name in error
        assert "secret" not in log + error


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Proxy:
    """Stands before the server, and breaks the first connection that acknowledges a message."""

    def __init__(self, port: int) -> None:
        self.port: int = 0
        self.lost: int = 0
        self._server_port = port

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what one client and the server say, until either has gone."""
        theirs, ours = await asyncio.open_connection("127.0.0.1", self._server_port)
        try:
            ways = [self._pass_on(reader, ours), self._pass_on(theirs, writer)]
            tasks = [asyncio.ensure_future(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        finally:
            ours.close()
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.lost == 0 and b"\r\nZPOPMIN\r\n" in data:
                self.lost = 1
                return
            writer.write(data)


@asynccontextmanager
async def losing_acknowledgements(port: int) -> AsyncGenerator[Proxy]:
    """Run a proxy before the server."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
