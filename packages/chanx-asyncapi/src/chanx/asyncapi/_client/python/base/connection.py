"""A connection that is made again when it is lost, and the messages that wait for it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed as SocketClosed
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.protocol import State

from .errors import ConnectionClosed, ConnectionLost, SendQueueFull
from .exchange import Exchange
from .policy import Backoff

__all__ = ["Connection", "Listener"]

_MISSED = 2.5
"""Heartbeat intervals without any frame: two were missed."""

Target = Callable[[], Awaitable[tuple[str, dict[str, str]]]]


class Listener(Protocol):
    """What a connection reports to."""

    async def opened(self, is_first: bool) -> None:
        """The connection is open; nothing that waits has been sent."""

    def received(self, text: str | bytes) -> None:
        """A frame has come."""

    def lost(self, error: ConnectionLost | ConnectionClosed) -> None:
        """The connection was lost, or ended for good."""

    def report_error(self, error: Exception) -> None:
        """An attempt to connect has failed."""


class Connection:
    """One connection after the other to a target: a function that returns the URL and the headers.

    Without a `backoff` the end of the first one is the end.
    """

    def __init__(
        self,
        target: Target,
        backoff: Backoff | None,
        listener: Listener,
        options: Mapping[str, Any],  # Any: those of websockets' connect()
        *,
        max_queued: int,
        heartbeat_interval: float | None,
    ) -> None:
        self._target = target
        self._backoff = backoff
        self._listener = listener
        self._options = options
        self._max_queued = max_queued
        self._heartbeat_interval = heartbeat_interval
        self._queue: deque[Exchange] = deque()
        self._opened = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._last_frame = 0.0
        self.has_heartbeat = False
        """Whether this connection has brought a heartbeat."""
        self.socket: ClientConnection | None = None
        self.closed: ConnectionClosed | None = None

    async def open(self) -> None:
        """Connect. Raises ConnectionClosed if that fails for good."""
        self._task = asyncio.create_task(self._run())
        waiting = asyncio.create_task(self._opened.wait())
        try:
            await asyncio.wait({self._task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self.closed is not None:
            raise self.closed

    async def close(self) -> None:
        """Close for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.closed is None:
            self._end(ConnectionClosed(1000, "Closed by the client"))

    async def send(self, exchange: Exchange) -> None:
        """Send a message, or let it wait for the connection. Raises SendQueueFull, ConnectionClosed, ConnectionLost."""
        if self.closed is not None:
            raise self.closed.with_traceback(None)
        if self._queue or self.socket is None or self.socket.state is not State.OPEN:
            if len(self._queue) >= self._max_queued:
                raise SendQueueFull(f"{self._max_queued} messages wait for the connection")
            self._queue.append(exchange)
        else:
            await self.send_now(exchange)

    async def send_now(self, exchange: Exchange) -> None:
        """Send a message before those that wait. Raises ConnectionLost."""
        exchange.was_sent = True
        try:
            if self.socket is None:
                raise ConnectionLost("There is no connection")
            await self.socket.send(exchange.text)
        except SocketClosed as error:
            raise ConnectionLost("The connection was lost") from error

    def withdraw(self, exchange: Exchange) -> None:
        """Do not send a message that still waits."""
        with suppress(ValueError):
            self._queue.remove(exchange)

    async def _run(self) -> None:
        try:
            while True:
                ended = await self._connect()
                delay = self._backoff.delay(ended.code) if self._backoff else None
                if delay is None:
                    break
                if isinstance(ended.__cause__, Exception):
                    self._listener.report_error(ended.__cause__)
                await asyncio.sleep(delay)
        except Exception as error:  # a mistake in the options does not mend itself
            ended = _failed(error)
        self._end(ended)

    def _end(self, reason: ConnectionClosed) -> None:
        self.closed = reason
        self._listener.lost(reason)

    async def _connect(self) -> ConnectionClosed:
        """Connect once, and return what ended the connection."""
        try:
            url, headers = await self._target()
        except Exception as error:  # of what fetches the token
            return _failed(error)
        try:
            async with connect(url, additional_headers=headers, **self._options) as socket:
                if self._backoff is not None:
                    self._backoff.opened()
                await self._serve(socket)
                return ConnectionClosed(socket.close_code, socket.close_reason or "")
        except InvalidStatus as refused:
            return ConnectionClosed(refused.response.status_code, "The handshake was refused")
        except (OSError, InvalidHandshake) as error:
            return _failed(error)

    async def _serve(self, socket: ClientConnection) -> None:
        loop = asyncio.get_running_loop()
        self.socket, self.has_heartbeat, self._last_frame = socket, False, loop.time()
        watching = asyncio.create_task(self._watch(socket))
        try:
            with suppress(SocketClosed, ConnectionLost):
                await self._listener.opened(not self._opened.is_set())
                while self._queue:
                    exchange = self._queue[0]
                    await self.send_now(exchange)
                    self.withdraw(exchange)
                self._opened.set()
                async for received in socket:
                    self._last_frame = loop.time()
                    self._listener.received(received)
        finally:
            watching.cancel()
            self.socket = None
            self._listener.lost(ConnectionLost("The connection was lost before the answer came"))

    async def _watch(self, socket: ClientConnection) -> None:
        """Give a connection up whose heartbeats stay out."""
        while self._heartbeat_interval is not None:
            await asyncio.sleep(self._heartbeat_interval / 2)
            silence = asyncio.get_running_loop().time() - self._last_frame
            if self.has_heartbeat and silence > self._heartbeat_interval * _MISSED:
                socket.transport.abort()
                return


def _failed(error: Exception) -> ConnectionClosed:
    ended = ConnectionClosed(None, str(error))
    ended.__cause__ = error
    return ended
