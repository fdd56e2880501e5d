"""Records that could come in any number."""

import asyncio
from collections.abc import Callable
from contextvars import Context

__all__ = ["LogLimit"]

# Seconds.
_INTERVAL = 10.0


class LogLimit:
    """Lets one record through, and holds back those that follow within 10 s of it.

    `report` is called with their number when the 10 s are over, at most once in 10 s, or by `flush()`. It runs in
    `context`, or in a copy of that of the first record.
    """

    __slots__ = ("_context", "_held_back", "_report", "_timer")

    def __init__(self, report: Callable[[int], None], context: Context | None = None) -> None:
        self._report = report
        self._context = context
        self._held_back = 0
        self._timer: asyncio.TimerHandle | None = None

    def admit(self) -> bool:
        """Count a record, and tell whether to write it."""
        if self._timer is None:
            self._start()
            return True
        self._held_back += 1
        return False

    def flush(self) -> None:
        """Report now, and let the next record through."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._tell()

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_INTERVAL, self._end_interval, context=self._context)

    def _end_interval(self) -> None:
        self._timer = None
        if self._held_back:
            self._start()  # the report is a record, too
        self._tell()

    def _tell(self) -> None:
        held_back, self._held_back = self._held_back, 0
        if held_back:
            self._report(held_back)
