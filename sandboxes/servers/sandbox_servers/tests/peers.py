"""Clients: the real `websockets` client for manners, a raw socket for what no client library does."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Origin
from websockets.uri import parse_uri

__all__ = [
    "TIME_LIMIT",
    "RawPeer",
    "abort",
    "ask",
    "client",
    "close_code",
    "frame",
    "receive",
    "talk",
]

TIME_LIMIT = 15.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: closing sends RST
_TCP_QUICKACK, _TCP_REPAIR = 12, 19  # Linux


@asynccontextmanager
async def client(url: str, origin: str | None = None, **options: Any) -> AsyncGenerator[Any]:
    """Open a connection; it is closed at the end, if it still is open."""
    options.setdefault("compression", None)
    page = None if origin is None else Origin(origin)
    async with connect(url, origin=page, proxy=None, close_timeout=1, **options) as connection:
        yield connection


def frame(action: str, payload: Any = None, **envelope: Any) -> str:
    """Write one message."""
    return json.dumps({"action": action, "payload": payload, **envelope}, ensure_ascii=False)


async def receive(peer: ClientConnection) -> dict[str, Any]:
    """Return the next message."""
    async with asyncio.timeout(TIME_LIMIT):
        message: dict[str, Any] = json.loads(await peer.recv())
    return message


async def ask(peer: ClientConnection, action: str, payload: Any = None) -> dict[str, Any]:
    """Send a message and return the next one that comes."""
    await peer.send(frame(action, payload))
    return await receive(peer)


async def talk(peer: ClientConnection) -> None:
    """Say something to the room, wait until it has been sent on, and so on without end."""
    while True:
        await peer.send(frame("say", "hello", ref="said"))
        # Not for the word itself: a layer may drop some when they are too many.
        while (await receive(peer))["action"] != "complete":
            pass


async def close_code(peer: ClientConnection, within: float = TIME_LIMIT) -> int | None:
    """Read to the end of the connection and return its close code; 1006 where no close frame came."""
    async with asyncio.timeout(within):
        try:
            while True:
                await peer.recv()
        except ConnectionClosed:
            return peer.close_code


def abort(peer: ClientConnection) -> None:
    """Leave without a word: the server's TCP gets a reset."""
    peer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    peer.transport.abort()


class RawPeer:
    """A client that reads only when it is told to, and writes whatever it is given."""

    def __init__(self, url: str) -> None:
        self._protocol = ClientProtocol(parse_uri(url))
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._messages: list[dict[str, Any]] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, receive_buffer: int | None = None) -> AsyncGenerator[Self]:
        """Connect and shake hands; at the end the connection is reset, if it still is open."""
        peer = cls(url)
        await peer._connect(receive_buffer)
        try:
            await peer._shake_hands()
            yield peer
        finally:
            peer.abort()

    async def _connect(self, receive_buffer: int | None) -> None:
        uri = self._protocol.uri
        plain = socket.socket()
        plain.setblocking(False)
        if receive_buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(plain, (uri.host, uri.port))
        self._reader, self._writer = await asyncio.open_connection(sock=plain, limit=1024)

    async def _shake_hands(self) -> None:
        self._protocol.send_request(self._protocol.connect())
        self.write(b"".join(self._protocol.data_to_send()))
        async with asyncio.timeout(TIME_LIMIT):
            while self._protocol.state is State.CONNECTING and await self._read():
                pass
        assert self._protocol.handshake_exc is None, self._protocol.handshake_exc

    @staticmethod
    def text(message: str) -> bytes:
        """Return the bytes of a text frame, to be written any number of times."""
        content = Frame(Opcode.TEXT, message.encode())
        return content.serialize(mask=True)

    def write(self, data: bytes) -> None:
        """Write bytes, in one piece."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait until the server's TCP has taken nearly everything."""
        await self._writer.drain()

    async def frames(self, number: int) -> list[dict[str, Any]]:
        """Return so many messages, or fewer if the connection ends before."""
        async with asyncio.timeout(TIME_LIMIT):
            while len(self._messages) < number and await self._read():
                pass
        found, self._messages = self._messages[:number], self._messages[number:]
        return found

    async def close_code(self, within: float = TIME_LIMIT) -> int | None:
        """Read to the end of the connection; 1006 where no close frame came."""
        async with asyncio.timeout(within):
            while await self._read():
                pass
        self._protocol.receive_eof()
        return self._protocol.close_code

    async def _read(self) -> bool:
        """Read once, and answer what the protocol answers: closing takes two. False at the end."""
        try:
            data = await self._reader.read(65536)
        except ConnectionError:
            return False
        if not data:
            return False
        self._protocol.receive_data(data)
        self.write(b"".join(self._protocol.data_to_send()))
        self._messages += [
            json.loads(bytes(event.data))
            for event in self._protocol.events_received()
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT
        ]
        return True

    def vanish(self) -> None:
        """Forget the connection without FIN or RST, as after a power cut; TCP answers the next segment with RST.

        Raises OSError where the platform or the user's rights do not allow it: it takes CAP_NET_ADMIN on Linux.
        """
        plain = self._writer.get_extra_info("socket")
        # Otherwise the server sends again what was not acknowledged yet, and notices at once.
        plain.setsockopt(socket.IPPROTO_TCP, _TCP_QUICKACK, 1)
        plain.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
        self._writer.transport.abort()

    def abort(self) -> None:
        """Leave without a word: the server's TCP gets a reset."""
        plain = self._writer.get_extra_info("socket")
        if plain.fileno() >= 0:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()
