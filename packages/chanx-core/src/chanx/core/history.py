"""The history of topics: what a client missed is sent when it comes back, or it is told that something is missing.

`history = History(size=300, seconds=3600)` in a class of topics turns it on. The events of such a topic go to a store
first. Frames carry a `cursor`; a client that subscribes again with its last one gets every event after it, in order and
once, or `recovered: false`.
"""

from chanx.core._history.entries import Entry, HistoryLostError, Position
from chanx.core._history.memory import MemoryHistory
from chanx.core._history.redis import RedisHistory
from chanx.core._history.store import History, HistoryStore, HistoryUnavailable, Retention

__all__ = [
    "Entry",
    "History",
    "HistoryLostError",
    "HistoryStore",
    "HistoryUnavailable",
    "MemoryHistory",
    "Position",
    "RedisHistory",
    "Retention",
]
