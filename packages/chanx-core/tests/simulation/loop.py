"""An event loop whose time passes when there is nothing else to do."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from random import Random
from typing import Any
from unittest import mock

from chanx.core._connection import sender
from chanx.core._runtime import queue

__all__ = ["StuckError", "run"]


class StuckError(Exception):
    """Everybody waits, and nothing will ever happen."""


class _Selector(selectors.DefaultSelector):
    """Has no patience: the time for which it should wait is over at once."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Look for what has happened in the real world, which is the end of a thread at most."""
        if timeout is None:
            raise StuckError
        self.passed += max(timeout, 0.0)
        return super().select(0)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return the virtual time, in seconds from the start."""
        return self._virtual.passed


def run(main: Callable[[], Coroutine[Any, Any, None]], random: Random) -> list[Mapping[str, Any]]:
    """Run to the end in virtual time; return what the loop reports that nobody has caught."""
    loop = _VirtualLoop()
    reports: list[Mapping[str, Any]] = []
    loop.set_exception_handler(lambda loop, context: reports.append(context))
    with ExitStack() as patches:
        patches.callback(loop.close)
        # The two clocks that measure real work: here it takes as long as the seed says.
        patches.enter_context(mock.patch.object(sender, "monotonic", loop.time))
        patches.enter_context(mock.patch.object(queue, "perf_counter", _Work(random)))
        loop.run_until_complete(main())
        loop.run_until_complete(loop.shutdown_asyncgens())
    return reports


class _Work:
    """A clock that is read before and after some work."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._now = 0.0

    def __call__(self) -> float:
        """Let up to 0.3 ms pass."""
        self._now += 0.0003 * self._random.random()
        return self._now
