"""Time that passes when a test says so."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

__all__ = ["Clock"]


class Clock:
    """A clock that stands still until `advance()`; times are in seconds from its start."""

    def __init__(self) -> None:
        self.now: float = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call once that much time has passed."""
        heappush(self._due, (self.now + seconds, next(self._order), callback))

    def advance(self, seconds: float) -> None:
        """Let time pass: what falls due is called in its order, each at its own time."""
        if seconds < 0:
            raise ValueError(f"Time does not run backwards: {seconds} s.")
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            self.now, _, callback = heappop(self._due)
            callback()
        self.now = end
