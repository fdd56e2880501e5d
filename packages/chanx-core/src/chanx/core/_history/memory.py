"""A history in the memory of one process."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from secrets import token_hex
from weakref import WeakKeyDictionary

from chanx.core._history.entries import Entry, Position
from chanx.core._history.store import History, HistoryStore, Retention, provable
from chanx.type_defs import ChannelLayer, JSONObject

__all__ = ["MemoryHistory", "store_of"]

# Histories that nobody reads or writes for so many seconds beyond their retention are forgotten, if more are kept than
# this.
_FORGET_AFTER, _KEPT = 86_400.0, 10_000


class _Log:
    __slots__ = ("entries", "head", "retention", "used")

    def __init__(self, now: float) -> None:
        self.entries: deque[tuple[float, Entry]] = deque()
        self.head = Position(token_hex(4), 0, "")
        self.retention = Retention()
        self.used = now

    def trim(self, now: float) -> None:
        entries, oldest = self.entries, now - self.retention.seconds
        while entries and (len(entries) > self.retention.size or entries[0][0] < oldest):
            entries.popleft()


class MemoryHistory(HistoryStore):
    """Keeps histories in the memory of this process: they end with it, and other processes do not see them."""

    # `clock` tells seconds.
    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logs: dict[str, _Log] = {}

    async def append(self, key: str, event: JSONObject, retention: Retention) -> Entry:
        """Add an event, and return its entry."""
        log = self._used(key)
        head = log.head
        entry = Entry(head.epoch, head.offset + 1, token_hex(4), head.token, event)
        log.head, log.retention = entry.position, retention
        log.entries.append((log.used, entry))
        log.trim(log.used)
        return entry

    async def heads(self, keys: Sequence[str]) -> list[Position]:
        """Return the position after the newest entry of each history. Begins those that do not exist."""
        return [self._used(key).head for key in keys]

    async def read(self, key: str, after: Position, limit: int) -> list[Entry]:
        """Return the next entries. Raises HistoryLostError."""
        log = self._used(key)
        log.trim(log.used)
        first = log.entries[0][1].offset if log.entries else log.head.offset + 1
        start = max(0, after.offset + 1 - first)
        found = [entry for _, entry in islice(log.entries, start, start + limit)]
        return provable(log.head, after, found)

    async def latest(self, key: str, count: int) -> list[Entry]:
        """Return the newest entries, the oldest of them first."""
        log = self._used(key)
        log.trim(log.used)
        return [entry for _, entry in islice(log.entries, max(0, len(log.entries) - count), None)]

    def _used(self, key: str) -> _Log:
        now = self._clock()
        log = self._logs.get(key)
        if log is None:
            if len(self._logs) >= _KEPT:
                self._forget(now)
            log = self._logs[key] = _Log(now)
        log.used = now
        return log

    def _forget(self, now: float) -> None:
        self._logs = {
            key: log
            for key, log in self._logs.items()
            if log.used + log.retention.seconds + _FORGET_AFTER > now
        }


# One for each layer, which ends with it: a history says what went through.
_of_layers: WeakKeyDictionary[ChannelLayer, MemoryHistory] = WeakKeyDictionary()


def store_of(history: History, layer: ChannelLayer, *, is_local: bool, topic: str) -> HistoryStore:
    """Return the store of a history, which is memory by default. Raises RuntimeError where that is not enough.

    `is_local` says whether the layer stays in this process; `topic` is named in the error.
    """
    if history.store is not None:
        return history.store
    if not is_local:
        raise RuntimeError(
            f"{topic}.history needs a store, because its channel layer reaches other processes: "
            'write History(..., store=RedisHistory("redis://...")).'
        )
    return _of_layers.setdefault(layer, MemoryHistory())
