"""A bounded line of things to handle."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from chanx.core._tasks import spawn

__all__ = ["Line"]

T = TypeVar("T")


class Line(Generic[T]):
    """Handles items in the order in which they came, `width` at once, while `limit` more wait.

    A line starts closed: items wait until `open()`. `handle` must not raise.
    """

    __slots__ = ("_active", "_handle", "_limit", "_open", "_room", "_tasks", "_waiting", "_width")

    def __init__(
        self, handle: Callable[[T], Coroutine[Any, Any, None]], *, width: int, limit: int
    ) -> None:
        self._handle = handle
        self._width = width
        self._limit = limit
        self._waiting: deque[T] = deque()
        self._active = 0
        self._open = False
        self._room: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        """True while `limit` items wait."""
        return len(self._waiting) >= self._limit

    @property
    def is_idle(self) -> bool:
        """True while nothing runs and nothing waits."""
        return not self._waiting and not self._active

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """The tasks that are handling items now."""
        return frozenset(self._tasks)

    def put(self, item: T) -> None:
        """Add an item at the end; whoever adds looks at `is_full` first."""
        self._waiting.append(item)
        if self._open and self._active < self._width:
            self._start()

    def drop_oldest(self) -> T:
        """Take the item out that has waited longest."""
        return self._waiting.popleft()

    def open(self) -> None:
        """Begin to handle."""
        self._open = True
        while self._active < min(self._width, len(self._waiting)):
            self._start()

    def clear(self) -> None:
        """Forget what waits and take nothing more on; what runs goes on."""
        self._open = False
        self._waiting.clear()
        self._make_room()

    async def room(self) -> None:
        """Wait until an item may be added. One at a time may wait here."""
        if self.is_full:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    def _start(self) -> None:
        self._active += 1
        task = spawn(self._work())
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        # One task goes on with what has come meanwhile: a burst costs one task, not one a message.
        try:
            while self._waiting and self._open:
                item = self._waiting.popleft()
                if self._room is not None:
                    self._make_room()
                await self._handle(item)
        finally:
            self._active -= 1

    def _make_room(self) -> None:
        if self._room is not None and not self.is_full:
            if not self._room.done():
                self._room.set_result(None)
            self._room = None
