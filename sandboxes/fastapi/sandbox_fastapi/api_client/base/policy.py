# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""When to connect again."""

import random
import time
from collections.abc import Mapping

__all__ = ["Backoff", "retry_after"]

_FIRST, _LONGEST = 0.5, 20.0
_HEALTHY_AFTER = 10.0
_PATIENT = 3


def retry_after(code: int | None, known: Mapping[int, str]) -> str:
    """Return what to do after a close code or an HTTP status: stop, again, after_refresh or backoff."""
    if code is None:
        return "again"
    if code in known:
        return known[code]
    status = code - 4000 if code >= 4000 else code
    if status == 401:
        return "after_refresh"
    is_final = 400 <= status < 500 and status not in (408, 425, 429)
    return "stop" if code == 1000 or is_final else "backoff"


class Backoff:
    """Delays with full jitter from half a second to 20 s, which start over after 10 s of health."""

    def __init__(self) -> None:
        self._attempt = 0
        self._opened: float | None = None

    def opened(self) -> None:
        """Note that the connection is open."""
        self._opened = time.monotonic()

    def delay(self, retry: str) -> float:
        """Return how long to wait before the next attempt."""
        if self.was_healthy():
            self._attempt = 0
        self._opened = None
        if retry == "backoff":
            self._attempt = max(self._attempt, _PATIENT)
        longest = min(_LONGEST, _FIRST * 2**self._attempt)
        self._attempt = min(self._attempt + 1, 10)
        return random.uniform(0, longest)

    def was_healthy(self) -> bool:
        """Tell whether the last connection was open for long enough."""
        return self._opened is not None and time.monotonic() - self._opened >= _HEALTHY_AFTER
