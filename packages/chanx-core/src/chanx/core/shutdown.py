"""Stopping without losing what handlers are about to answer."""

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

from chanx.core._connection.open_connections import connections, refusing_newcomers
from chanx.type_defs import ASGIReceive, ASGISend, Scope

__all__ = ["drain", "draining", "lifespan"]

_SIGNALS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)
]


async def drain() -> None:
    """Finish and close every connection of the running event loop with 1012, handlers first.

    Call it when the server is told to stop, before it closes the sockets itself. New connections are refused
    meanwhile. Each connection takes at most its `shutdown_grace`, as long again for cancelled handlers to clean up (at
    least a second), and its `layer_timeout` to leave its groups. A handler that ignores its cancellation is left
    running.
    """
    loop = asyncio.get_running_loop()
    with refusing_newcomers(loop):
        ending = [connection.drain() for connection in connections if connection.loop is loop]
        await asyncio.gather(*ending)


@contextmanager
def draining() -> Generator[None]:
    """Drain connections before the server stops: `with draining(): yield` in the application's lifespan.

    A server that is told to stop closes its WebSockets at once. Within this context the first signal lets handlers
    finish and closes their connections with 1012; then the server gets it. A second signal goes to the server at once.
    Servers that take signals in another way, or run the application outside of the main thread, are left alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    stopping = _Stopping(asyncio.get_running_loop(), handlers)
    stopping.listen()
    try:
        yield
    finally:
        stopping.end()


async def lifespan(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
    """Drain connections before the server stops, where the application has no lifespan of its own.

    An ASGI application for the scope type `lifespan` alone, as in Channels' `ProtocolTypeRouter`.
    """
    with draining():
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


class _Stopping:
    """Stands in front of the server's signal handlers until the first signal."""

    # Any: signal.getsignal() returns functions and constants.
    def __init__(self, loop: asyncio.AbstractEventLoop, handlers: dict[int, Any]) -> None:
        self._loop = loop
        self._handlers = {number: call for number, call in handlers.items() if callable(call)}
        self._task: asyncio.Task[None] | None = None
        self._refusing = ExitStack()

    def listen(self) -> None:
        for number in self._handlers:
            signal.signal(number, self._told)

    def end(self) -> None:
        self.give_back()
        self._refusing.close()

    def give_back(self) -> None:
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._told:
                signal.signal(number, handler)

    def _told(self, number: int, frame: FrameType | None) -> None:
        self.give_back()
        self._loop.call_soon_threadsafe(self._start, number, frame)  # wakes the loop up

    def _start(self, number: int, frame: FrameType | None) -> None:
        self._task = self._loop.create_task(self._drain(self._handlers[number], number, frame))

    async def _drain(
        self, stop: Callable[[int, FrameType | None], Any], number: int, frame: FrameType | None
    ) -> None:
        # Also once the drain is over: the server closes its sockets only after that.
        self._refusing.enter_context(refusing_newcomers(self._loop))
        try:
            await drain()
        finally:
            stop(number, frame)
