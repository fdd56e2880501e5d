"""A limited queue of items to handle."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextvars import Context, copy_context
from time import perf_counter
from typing import Any, Generic, TypeVar

from chanx.core._runtime.tasks import spawn

__all__ = ["YIELD_AFTER", "WorkQueue"]

T = TypeVar("T")

# Seconds for which no item may start while others wait, before a warning.
_BLOCKED_AFTER = 5.0
# Seconds of handling after which the queue yields to the event loop.
YIELD_AFTER = 0.001


class WorkQueue(Generic[T]):
    """Handles items in their order, `width` concurrently, while at most `limit` more wait.

    An item put aside is not kept in order: it starts as soon as fewer than `max_active` items are running. A queue
    starts closed: items wait until `open()`. Each item is handled in a copy of `context`, so no item sees a context
    variable that another has set. If `handle` raises, the next items are still handled. `on_blocked` is called when
    items wait and none has started for 5 s. `spent` is the handling time in seconds since the queue last yielded to
    the event loop: a caller that adds items without waiting yields after `YIELD_AFTER`.
    """

    __slots__ = (
        "_active",
        "_aside",
        "_context",
        "_handle",
        "_is_held",
        "_is_starting",
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
        "overflows",
        "spent",
    )

    def __init__(
        self,
        handle: Callable[[T], Coroutine[Any, Any, None]],
        *,
        width: int,
        limit: int,
        max_active: int | None = None,
        on_blocked: Callable[[], None] | None = None,
        context: Context | None = None,
    ) -> None:
        self._handle = handle
        self._width = width
        self._limit = limit
        self._max_active = width if max_active is None else max_active
        self._on_blocked = on_blocked
        self._context = copy_context() if context is None else context
        # Created when an item has to wait: most connections are idle, and a deque takes 600 bytes.
        self._waiting: deque[T] | None = None
        self._aside: deque[T] | None = None
        self._ordered = 0  # tasks that handle items in order
        self._active = 0  # these, and the tasks that handle items put aside
        self._started = 0
        self.spent = 0.0
        self.overflows = False
        """True while callers do not wait for room: an item that does not fit is rejected."""
        self._open = False
        self._is_held = False
        self._is_starting = False
        self._room: asyncio.Future[None] | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """True while items are handled."""
        return self._open

    @property
    def is_full(self) -> bool:
        """True while `limit` items wait, or the queue is held."""
        if not self._waiting and not self._aside:
            return self._is_held
        return self._is_held or len(self._waiting or ()) + len(self._aside or ()) >= self._limit

    @property
    def active(self) -> int:
        """How many items are being handled."""
        return self._active

    @property
    def waiting(self) -> int:
        """How many items wait in order."""
        return len(self._waiting or ())

    @property
    def has_waiting(self) -> bool:
        """True while any item waits."""
        return bool(self._waiting or self._aside)

    @property
    def is_idle(self) -> bool:
        """True while no item runs or waits."""
        return not (self._active or self._waiting or self._aside)

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """The tasks that are handling items now."""
        return frozenset(self._tasks)

    def put(self, item: T) -> bool:
        """Add an item at the end; return false if the queue is full now. Callers check `is_full` first."""
        if self._open and self._ordered < self._width and self._active < self._max_active:
            self._ordered += 1
            self._active += 1
            task = spawn(self._work(item), context=self._context.copy())
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
        """Add an item that is not kept in order; return false if the queue is full now."""
        if self._aside is None:
            self._aside = deque()
        self._aside.append(item)
        self._start_waiting()
        return not self.is_full

    def drop_oldest(self) -> T | None:
        """Drop the item that has waited longest in order, and return it."""
        return self._waiting.popleft() if self._waiting else None

    @property
    def items(self) -> Iterator[T]:
        """The items that wait."""
        yield from self._waiting or ()
        yield from self._aside or ()

    def discard(self, item: T) -> None:
        """Drop an item that waits."""
        for waiting in (self._waiting, self._aside):
            if waiting and item in waiting:
                waiting.remove(item)
                self._make_room()
                return

    def overflow(self, on: bool) -> None:
        """Reject items that do not fit, or let callers wait for room."""
        self.overflows = on
        if on and self._room is not None and not self._room.done():
            self._room.set_result(None)

    def hold(self) -> None:
        """Count as full until `open()`."""
        self._is_held = not self._open

    def open(self) -> None:
        """Start handling items."""
        self._open = True
        self._is_held = False
        self._start_waiting()
        self._make_room()

    def clear(self) -> None:
        """Drop the items that wait and close the queue; running items continue."""
        self._open = self._is_held = False
        self._waiting = self._aside = None
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._make_room()

    async def room(self) -> None:
        """Wait until an item may be added. Only one caller at a time may wait."""
        while self.is_full and not self.overflows:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    def _start_waiting(self) -> None:
        """Start the items that may run now."""
        # A task that ends at once calls this recursively: then the loop below continues with the next item.
        if self._is_starting:
            return
        self._is_starting = True
        try:
            while self._open and self._active < self._max_active and self._start_next():
                pass
        finally:
            self._is_starting = False

    def _start_next(self) -> bool:
        if self._aside:
            self._active += 1
            self._spawn(self._work_aside(self._aside.popleft()))
        elif self._waiting and self._ordered < self._width:
            self._ordered += 1
            self._active += 1
            self._spawn(self._work(self._waiting.popleft()))
        else:
            return False
        return True

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = spawn(work, context=self._context.copy())
        if not task.done():
            self._keep(task)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, item: T) -> None:
        # One task continues with the items that have arrived meanwhile: a burst costs one task, not one per item.
        try:
            while True:
                self._started += 1
                if self._room is not None:
                    self._make_room()
                began = perf_counter()
                await self._handle(item)
                self.spent += perf_counter() - began
                if not self._waiting:
                    return
                if self.spent > YIELD_AFTER:
                    await self.give_way()
                if self._is_changed() or not self._waiting:
                    return
                item = self._waiting.popleft()
        finally:
            self._ordered -= 1
            self._active -= 1
            if self._waiting or self._aside:
                self._start_waiting()

    async def _work_aside(self, item: T) -> None:
        try:
            self._make_room()
            began = perf_counter()
            await self._handle(item)
            self.spent += perf_counter() - began
        finally:
            self._active -= 1
            self._start_waiting()

    async def give_way(self) -> None:
        """Yield to the event loop."""
        self.spent = 0.0
        await asyncio.sleep(0)

    def _is_changed(self) -> bool:
        """Return whether handling has changed the current task: a context variable or a cancellation."""
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            return True
        try:
            return copy_context() != self._context
        except Exception:  # values are compared, and some libraries raise there
            return True

    def _make_room(self) -> None:
        if self._room is not None and not self.is_full:
            if not self._room.done():
                self._room.set_result(None)
            self._room = None

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(_BLOCKED_AFTER, self._check_patience, self._started)

    def _check_patience(self, started: int) -> None:
        self._patience = None
        if not self._waiting or self._on_blocked is None:
            return
        if self._started == started:
            self._on_blocked()
        else:
            self._watch()
