"""When to connect again."""

import random
import time
from collections.abc import Mapping

__all__ = ["Backoff", "retry_after"]

_FIRST, _LONGEST = 0.5, 20.0
_HEALTHY_AFTER = 10.0
_PATIENT = 3
# Errors of the protocol, and a close that was meant; what the document says comes first.
_STOP = (1000, 1002, 1003, 1007, 1008, 1010)
_BACKOFF = (1009, 1011, 1013)


def retry_after(code: int | None, known: Mapping[int, str]) -> str:
    """Return what to do after a close code or an HTTP status: stop, again, after_refresh or backoff."""
    if code is None:
        return "again"
    if code in known:
        return known[code]
    status = code - 4000 if code >= 4000 else code
    if status == 401:
        return "after_refresh"
    if status in (425, 429, *_BACKOFF) or 500 <= status < 600:
        return "backoff"
    is_final = status in _STOP or (400 <= status < 500 and status != 408)
    return "stop" if is_final else "again"


class Backoff:
    """Delays with full jitter from half a second to 20 s, which start over after 10 s of health."""

    def __init__(self, known: Mapping[int, str], *, can_refresh: bool) -> None:
        self._known = known
        self._can_refresh = can_refresh
        self._has_refreshed = False
        self._attempt = 0
        self._opened: float | None = None

    def opened(self) -> None:
        """Note that the connection is open."""
        self._opened = time.monotonic()

    def delay(self, code: int | None) -> float | None:
        """Return how long to wait before the next attempt, after a close code or an HTTP status; None to stop."""
        if self._opened is not None and time.monotonic() - self._opened >= _HEALTHY_AFTER:
            self._attempt, self._has_refreshed = 0, False
        self._opened = None
        retry = retry_after(code, self._known)
        if retry == "after_refresh":
            # A new token that is refused as well needs a person.
            retry = "stop" if self._has_refreshed or not self._can_refresh else "again"
            self._has_refreshed = True
        if retry == "stop":
            return None
        if retry == "backoff":
            self._attempt = max(self._attempt, _PATIENT)
        longest = min(_LONGEST, _FIRST * 2**self._attempt)
        self._attempt = min(self._attempt + 1, 10)
        return random.uniform(0, longest)
