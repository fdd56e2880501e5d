"""Writing to one socket: in order, one frame at a time, with a bound on what waits for a slow peer."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from chanx.core._runtime.tasks import spawn
from chanx.type_defs import ASGISend

__all__ = ["FrameSender"]

Event = dict[str, object]

# Seconds in which a stalled peer may still take a close frame.
_LAST_WORD = 1.0


class FrameSender:
    """Writes through while the socket keeps up, and queues behind a write that is still waiting for the peer.

    `send()` waits while the queue is full: it is for handlers, whose own pace it slows down. `on_stall` is called when
    one write takes longer than `timeout`, `on_gone` when the peer turns out to have left.
    """

    __slots__ = (
        "_bytes", "_drainer",
        "_finished", "_loop", "_max_bytes", "_max_frames", "_on_gone", "_on_stall", "_queue", "_send",
        "_stall_timer", "_timeout", "_waiters", "_write_began", "_writing", "closed",
    )  # fmt: skip

    def __init__(
        self,
        send: ASGISend,
        *,
        max_frames: int,
        max_bytes: int,
        timeout: float | None,
        on_stall: Callable[[], None],
        on_gone: Callable[[Exception], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._send = send
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._on_stall = on_stall
        self._on_gone = on_gone
        self._queue: deque[Event] | None = None  # made when a frame has to wait
        self._bytes = 0
        self._writing = False
        self._write_began = 0.0
        self._waiters: list[asyncio.Future[None]] = []
        self._drainer: asyncio.Task[None] | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._finished = False
        self.closed: bool = False

    @property
    def is_idle(self) -> bool:
        """True when every frame has been handed to the server."""
        return not self._writing and not self._queue

    @property
    def waiting(self) -> int:
        """How many frames wait behind the one that is being written."""
        return len(self._queue or ())

    async def send(self, event: Event, *, last: bool = False) -> None:
        """Write one frame, or queue it behind those that wait.

        Dropped once the sender is closed, or after the last frame.
        """
        if self._finished:
            return
        self._finished = last
        if self._writing and await self._waited_in_queue(event):
            return
        if self.closed:
            return
        self._writing = True
        self._write_began = monotonic()
        if self._stall_timer is None:
            self._watch()
        try:
            await self._send(event)
        except Exception as error:
            await self._failed(event, error)
        finally:
            self._writing = False
            if self._queue or self._waiters:
                self._go_on()

    async def _waited_in_queue(self, event: Event) -> bool:
        """Queue behind the write under way; false where that one has ended while there was no room."""
        while self._writing and not self.closed:
            if self._enqueue(event):
                return True
            await self._change()
        return False

    def _enqueue(self, event: Event) -> bool:
        size = _size(event)
        if self._queue and not self._fits(size):
            return False
        if self._queue is None:
            self._queue = deque()
        self._queue.append(event)
        self._bytes += size
        return True

    def _fits(self, size: int) -> bool:
        return len(self._queue or ()) < self._max_frames and self._bytes + size <= self._max_bytes

    async def fewer_than(self, number: int) -> None:
        """Wait while so many frames wait for the peer."""
        while self.waiting >= number and not self.closed:
            await self._change()

    async def flush(self) -> None:
        """Wait until what was sent so far has left."""
        while not self.is_idle and not self.closed:
            await self._change()

    async def _change(self) -> None:
        """Wait until a frame has left."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def close(self) -> None:
        """Drop what waits and everything sent from now on."""
        self.closed = True
        self._queue = None
        self._bytes = 0
        if self._drainer is not None and self._drainer is not asyncio.current_task():
            self._drainer.cancel()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        self._tell()

    def adopt(self, writing: "asyncio.Task[None]") -> None:
        """Treat a task whose write is under way as this sender's own: it is ended with it."""
        if not writing.done():
            self._drainer = writing

    def abandon(self, last: Event) -> None:
        """Close, and try for a moment to tell a peer that does not read."""
        self.close()
        self._drainer = spawn(self._write_last(last))

    async def ended(self) -> None:
        """Close, and wait until nothing of this sender runs any more."""
        drainer = self._drainer
        if not self.closed:
            self.close()
        if drainer is not None and not drainer.done():
            await asyncio.wait([drainer])

    async def _write_last(self, event: Event) -> None:
        try:
            async with asyncio.timeout(_LAST_WORD):
                await self._send(event)
        except Exception as error:
            await self._failed(event, error)

    def _go_on(self) -> None:
        """Pass the turn to write to what has queued up meanwhile."""
        self._writing = bool(self._queue)
        if self._writing:
            self._drainer = spawn(self._drain())
        self._tell()

    async def _drain(self) -> None:
        try:
            while self._queue:
                event = self._queue.popleft()
                self._bytes -= _size(event)
                await self._write(event)
                self._tell()
        finally:
            self._writing = False
            self._tell()

    async def _write(self, event: Event) -> None:
        self._write_began = monotonic()
        if self._stall_timer is None:
            self._watch()
        try:
            await self._send(event)
        except Exception as error:
            await self._failed(event, error)

    async def _failed(self, event: Event, error: Exception) -> None:
        # The peer has gone: servers raise an OSError (ASGI 2.4), complain about a send after the
        # close, or raise an error of their own. Or the server refuses the code.
        with suppress(Exception):
            if (private := _with_private_code(event)) is not None:
                await self._send(private)
        if not self.closed:
            self.close()
        self._on_gone(error)

    def _watch(self) -> None:
        """Start the one timer for many writes: when it fires, it looks at the write that is under way then."""
        if self._timeout is not None:
            left = self._write_began + self._timeout - monotonic()
            self._stall_timer = self._loop.call_later(left, self._check_stall)

    def _check_stall(self) -> None:
        self._stall_timer = None
        if not self._writing or self._timeout is None:
            return
        if self._write_began + self._timeout <= monotonic():
            self._on_stall()
        else:
            self._watch()

    def _tell(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


def _with_private_code(closing: Event) -> Event | None:
    """Return a close event with a code that every server sends: Autobahn, which daphne uses, knows 1000 and 3000 up."""
    code = closing.get("code")
    if isinstance(code, int) and 1000 < code < 3000:
        return {**closing, "code": code + 3000}
    return None


def _size(event: Event) -> int:
    """Return how many bytes a frame has on the wire."""
    text = event.get("text")
    if isinstance(text, str):
        return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    data = event.get("bytes")
    return len(data) if isinstance(data, bytes) else 0
