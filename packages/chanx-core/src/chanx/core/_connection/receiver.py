"""Reading one socket: frame after frame into the queue in which they are handled."""

import asyncio
from contextlib import suppress
from math import inf

from chanx.core._connection.control_frames import ControlFrames
from chanx.core._connection.dispatcher import FrameDispatcher
from chanx.core._runtime.queue import YIELD_AFTER, WorkQueue
from chanx.type_defs import ASGIEvent, ASGIReceive

__all__ = ["FrameReceiver", "FrameTooLargeError"]

# The close code of a peer that gave none (RFC 6455, section 7.4.1).
_NO_STATUS = 1005
# Seconds without a frame after which a server has handed over what came before the close, and for how long at most.
_SILENCE, _REST = 0.1, 1.0


class FrameTooLargeError(Exception):
    """A frame has more bytes than the consumer takes."""


class FrameReceiver:
    """Puts what the client sends into a queue, and waits for no handler unless that is full.

    Until the queue is open, frames of `max_bytes` in all may wait in it: nobody knows yet who the client is.
    """

    __slots__ = (
        "_control",
        "_early",
        "_frames",
        "_has_concurrent",
        "_ignores",
        "_interrupted",
        "_is_early",
        "_is_last",
        "_max_bytes",
        "_queue",
        "_receive",
        "_receiving",
        "_task",
        "_unread",
    )

    def __init__(
        self,
        receive: ASGIReceive,
        frames: FrameDispatcher,
        queue: WorkQueue[ASGIEvent],
        *,
        max_bytes: int | None,
    ) -> None:
        self._receive = receive
        self._control: ControlFrames | None = None
        self._frames = frames
        self._has_concurrent = frames.has_concurrent
        self._queue = queue
        self._max_bytes: float = inf if max_bytes is None else max_bytes
        self._early = 0
        self._is_early = True
        self._task: asyncio.Task[object] | None = None
        self._receiving = False
        self._is_last = False
        self._interrupted = False
        self._ignores = False
        self._unread = False

    async def read(self) -> int | None:
        """Read until the client leaves, and return its close code; None where this side has ended the reading.

        Raises FrameTooLargeError.
        """
        self._task = asyncio.current_task()
        try:
            return await self._read_frames()
        except asyncio.CancelledError:
            # `interrupt()` ends the reading this way; anybody else's cancellation goes on.
            if not self._interrupted or _uncancelled() > 0:
                raise
            return None
        finally:
            self._receiving = False

    async def _read_frames(self) -> int | None:
        has_room = True
        while not self._is_last:
            self._receiving = True
            event = await self._receive()
            self._receiving = False
            if event["type"] == "websocket.disconnect":
                return event.get("code") or _NO_STATUS
            self._check_size(event)
            if self._control is not None and await self._control.take(event):
                await self._queue.give_way()  # a client may send any number of them
                continue
            if not has_room:
                # Only now: the event that does not fit could have been the end.
                await self._queue.room()
                if self._queue.is_full and self._control is not None:
                    await self._control.refuse(event)
                    await self._queue.give_way()
                    continue
            if self._ignores:
                continue
            has_room = self._put(event)
            if self._queue.spent > YIELD_AFTER:
                await self._queue.give_way()
        return None

    def _check_size(self, event: ASGIEvent) -> None:
        text = event.get("text")
        # A character has at most four bytes, so most texts need no counting.
        if (text is None or 4 * len(text) > self._max_bytes) and _size(event) > self._max_bytes:
            raise FrameTooLargeError

    def _put(self, event: ASGIEvent) -> bool:
        """Add a frame to the queue; false where that is full now."""
        if self._is_early:
            self._count_early(event)
        if self._has_concurrent and self._frames.is_concurrent(event):
            return self._queue.put_aside(event)
        return self._queue.put(event)

    def _count_early(self, event: ASGIEvent) -> None:
        self._is_early = not self._queue.is_open
        self._early += _size(event)
        if self._early >= self._max_bytes:
            self._queue.hold()

    def use_control(self, control: ControlFrames) -> None:
        """Look for control frames and answers from now on."""
        self._control = control

    def ignore(self) -> None:
        """Keep reading, discard frames."""
        self._ignores = True

    def finish(self) -> None:
        """Read nothing after the frame that is waited for."""
        self._is_last = True

    def interrupt(self) -> None:
        """Wait for no frame any more, and forget those that have not been handled."""
        self._is_last = True
        # More may come from whoever has sent ahead.
        self._unread = not self._receiving or self._queue.has_waiting
        self._queue.clear()
        if self._receiving and self._task is not None and not self._interrupted:
            self._interrupted = True
            self._task.cancel()

    async def discard_unread(self) -> None:
        """Take what came before the close and is not handled: a server may wait for room in its queue for ever."""
        if not self._unread:
            return
        with suppress(Exception):  # among them the TimeoutError; a server may refuse to be asked
            async with asyncio.timeout(_REST):
                while await self._takes_another():
                    pass

    async def _takes_another(self) -> bool:
        async with asyncio.timeout(_SILENCE):
            event = await self._receive()
        return bool(event["type"] != "websocket.disconnect")


def _uncancelled() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.uncancel()


def _size(event: ASGIEvent) -> int:
    text = event.get("text")
    if text is None:
        return len(event.get("bytes") or b"")
    return len(text.encode("utf-8", "surrogatepass"))
