"""What a client can cancel or still has to answer on one connection."""

import asyncio
from typing import Any, Protocol

from chanx.core.exceptions import CancelledByClientError, MessageError

__all__ = [
    "CancellableHandler",
    "LiveWork",
    "Overflowing",
    "RefInUseError",
    "ReferencedWork",
    "cancelled_by_client",
]


class Overflowing(Protocol):
    """The queue of client frames."""

    def overflow(self, on: bool) -> None:
        """Refuse what does not fit, or let the reader wait for room."""
        ...


class ReferencedWork(Protocol):
    """Work for a client's message, under the message's reference."""

    def cancel(self, reason: MessageError) -> None:
        """End it with an error; without effect once it has ended."""
        ...


def cancelled_by_client() -> MessageError:
    """Return the error that answers a message whose client has cancelled it."""
    return CancelledByClientError()


class RefInUseError(MessageError):
    """The reference of a message still waits for the answer to another."""

    def __init__(self) -> None:
        super().__init__("ref_in_use", "Another message is being answered under this ref")


class LiveWork:
    """Knows streams, cancellable handlers and requests to the client while they last.

    As long as there is one, reading goes on whatever waits: the client's `cancel`, `more` or answer must arrive.
    """

    __slots__ = ("_count", "_queue", "by_ref", "received")

    def __init__(self) -> None:
        self.by_ref: dict[str, ReferencedWork] = {}
        # Messages until their handling has ended, and why one is not to begin.
        self.received: dict[str, MessageError | None] = {}
        self._count = 0
        self._queue: Overflowing | None = None

    def watch(self, queue: Overflowing) -> None:
        """Keep the reader from waiting for room in the queue while anything is live."""
        self._queue = queue

    def begin(self, work: ReferencedWork, ref: str | None) -> None:
        """Note that work has begun. Raises RefInUseError, and MessageError for a message cancelled before."""
        if ref is not None:
            if ref in self.by_ref:
                raise RefInUseError
            reason = self.received.get(ref)
            if reason is not None:
                raise reason
            self.by_ref[ref] = work
        self.count(1)

    def end(self, ref: str | None) -> None:
        """Note that work has ended."""
        if ref is not None:
            self.by_ref.pop(ref, None)
        self.count(-1)

    def count(self, by: int) -> None:
        """Count what has begun, or ended."""
        self._count += by
        if self._queue is not None:
            self._queue.overflow(self._count > 0)


class CancellableHandler:
    """One run of a handler that a client may cancel, in the current task."""

    __slots__ = ("_cancelling_before", "_reason", "_task")

    def __init__(self) -> None:
        # Any: what the handling returns is nobody's business here.
        task: asyncio.Task[Any] | None = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling_before = task.cancelling()
        self._reason: MessageError | None = None

    def cancel(self, reason: MessageError) -> None:
        """Interrupt the handler."""
        if self._reason is None:
            self._reason = reason
            self._task.cancel()

    def reason(self) -> MessageError | None:
        """Return why the handler was interrupted; None where something else cancelled the task."""
        # Only this cancellation is taken back, as `asyncio.timeout()` does.
        if self._reason is None or self._task.uncancel() > self._cancelling_before:
            return None
        return self._reason
