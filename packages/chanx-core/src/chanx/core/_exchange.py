"""One client message and what answers it."""

import asyncio
from typing import Any

__all__ = ["Exchange", "Exchanges"]


class Exchange:
    """The handling of one client message: its reference, and whether its last frame has gone out.

    `held` collects the frames that leave together at the end, where the consumer does not send immediately.
    """

    __slots__ = ("answered", "failed", "held", "ref")

    def __init__(self, *, hold: bool) -> None:
        self.ref: str | None = None
        self.answered = False
        self.failed = False
        self.held: list[str] | None = [] if hold else None


class Exchanges:
    """The exchanges of one connection, by the task that handles each.

    A frame belongs to an exchange when the handling task itself sends it: what a handler started in the background
    pushes is no answer and carries no reference.
    """

    __slots__ = ("_by_task",)

    def __init__(self) -> None:
        self._by_task: dict[asyncio.Task[Any] | None, Exchange] = {}

    def begin(self, *, hold: bool) -> Exchange:
        """Start an exchange in the current task."""
        exchange = self._by_task[asyncio.current_task()] = Exchange(hold=hold)
        return exchange

    def current(self) -> Exchange | None:
        """Return the current task's exchange."""
        return self._by_task.get(asyncio.current_task()) if self._by_task else None

    def end(self) -> None:
        """Forget the current task's exchange."""
        self._by_task.pop(asyncio.current_task(), None)
