"""A bounded line of things to handle."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from chanx.core._tasks import spawn

__all__ = ["Line"]

T = TypeVar("T")

# Seconds for which one item may keep others waiting before that is worth a word.
_PATIENCE = 5.0


class Line(Generic[T]):
    """Handles items in the order in which they came, `width` at once, while `limit` more wait.

    An item put aside does not keep to the order: it starts as soon as fewer than `max_active` are
    running in all. A line starts closed: items wait until `open()`. `handle` must not raise.
    `on_blocked` is called when nothing has moved on for 5 s though something waits.
    """

    __slots__ = (
        "_active",
        "_aside",
        "_handle",
        "_limit",
        "_max_active",
        "_on_blocked",
        "_open",
        "_ordered",
        "_patience",
        "_room",
        "_started",
        "_tasks",
        "_waiting",
        "_width",
    )

    def __init__(
        self,
        handle: Callable[[T], Coroutine[Any, Any, None]],
        *,
        width: int,
        limit: int,
        max_active: int | None = None,
        on_blocked: Callable[[], None] | None = None,
    ) -> None:
        self._handle = handle
        self._width = width
        self._limit = limit
        self._max_active = width if max_active is None else max_active
        self._on_blocked = on_blocked
        # Made when something has to wait: most connections are idle, and a deque takes 600 bytes.
        self._waiting: deque[T] | None = None
        self._aside: deque[T] | None = None
        self._ordered = 0  # tasks that take items in their order
        self._active = 0  # these and the ones that handle items put aside
        self._started = 0
        self._open = False
        self._room: asyncio.Future[None] | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        """True while `limit` items wait."""
        if not self._waiting and not self._aside:
            return False
        return len(self._waiting or ()) + len(self._aside or ()) >= self._limit

    @property
    def active(self) -> int:
        """How many items are being handled."""
        return self._active

    @property
    def waiting(self) -> int:
        """How many items wait for their turn in order."""
        return len(self._waiting or ())

    @property
    def has_waiting(self) -> bool:
        """True while anything waits for its turn."""
        return bool(self._waiting or self._aside)

    @property
    def is_idle(self) -> bool:
        """True while nothing runs and nothing waits."""
        return not (self._active or self._waiting or self._aside)

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """The tasks that are handling items now."""
        return frozenset(self._tasks)

    def put(self, item: T) -> bool:
        """Add an item at the end; false where the line is full now. Whoever adds, looks first."""
        if self._open and self._ordered < self._width and self._active < self._max_active:
            self._ordered += 1
            self._active += 1
            task = spawn(self._work(item))
            if not task.done():
                self._keep(task)
            return True
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(item)
        if self._patience is None and self._on_blocked is not None:
            self._watch()
        return not self.is_full

    def put_aside(self, item: T) -> bool:
        """Add an item that does not keep to the order; false where the line is full now."""
        if self._aside is None:
            self._aside = deque()
        self._aside.append(item)
        self._start_waiting()
        return not self.is_full

    def drop_oldest(self) -> None:
        """Forget the item that has waited longest in order."""
        if self._waiting:
            self._waiting.popleft()

    def open(self) -> None:
        """Begin to handle."""
        self._open = True
        self._start_waiting()

    def clear(self) -> None:
        """Forget what waits and take nothing more on; what runs goes on."""
        self._open = False
        self._waiting = self._aside = None
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._make_room()

    async def room(self) -> None:
        """Wait until an item may be added. One at a time may wait here."""
        while self.is_full:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    def _start_waiting(self) -> None:
        """Start what may run now."""
        while self._open and self._active < self._max_active:
            if self._aside:
                self._start(self._work_aside(self._aside.popleft()))
            elif self._waiting and self._ordered < self._width:
                self._ordered += 1
                self._start(self._work(self._waiting.popleft()))
            else:
                return

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._active += 1
        task = spawn(work)
        if not task.done():
            self._keep(task)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, item: T) -> None:
        # One task goes on with what has come meanwhile: a burst costs one task, not one a message.
        try:
            while True:
                self._started += 1
                if self._room is not None:
                    self._make_room()
                await self._handle(item)
                if not self._waiting:
                    return
                item = self._waiting.popleft()
        finally:
            self._ordered -= 1
            self._active -= 1
            if self._aside:
                self._start_waiting()

    async def _work_aside(self, item: T) -> None:
        try:
            self._make_room()
            await self._handle(item)
        finally:
            self._active -= 1
            self._start_waiting()

    def _make_room(self) -> None:
        if self._room is not None and not self.is_full:
            if not self._room.done():
                self._room.set_result(None)
            self._room = None

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(_PATIENCE, self._check_patience, self._started)

    def _check_patience(self, started: int) -> None:
        self._patience = None
        if not self._waiting or self._on_blocked is None:
            return
        if self._started == started:
            self._on_blocked()
        else:
            self._watch()
