"""What keeps histories."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import to_json

from chanx.core._history.entries import Entry, HistoryLostError, Position
from chanx.type_defs import JSONObject

__all__ = ["History", "HistoryStore", "HistoryUnavailable", "Retention", "provable"]


class HistoryUnavailable(ConnectionError):  # noqa: N818 - an outage, as the name says
    """The store of a history failed or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of a history is kept: at most so many entries, and none that is older than so many seconds."""

    size: int = 300
    seconds: float = 3600


class HistoryStore(ABC):
    """Keeps the histories of topics, each under a key.

    A store may lose what it keeps, also the newest entries alone. It must give each history an epoch when it begins,
    each entry an offset, one more than the one before, and a token of its own. Methods raise whatever goes wrong: the
    caller limits their time and says what failed.
    """

    @abstractmethod
    async def append(self, key: str, event: JSONObject, retention: Retention) -> Entry:
        """Add an event, and return its entry."""

    @abstractmethod
    async def heads(self, keys: Sequence[str]) -> list[Position]:
        """Return the position after the newest entry of each history. Begins those that do not exist."""

    @abstractmethod
    async def read(self, key: str, after: Position, limit: int) -> list[Entry]:
        """Return the next entries after a position, at most `limit`; none where it is the newest.

        Raises HistoryLostError where entries after the position are missing, or the position is not of this history.
        """

    @abstractmethod
    async def latest(self, key: str, count: int) -> list[Entry]:
        """Return the newest entries, the oldest of them first."""


@dataclass(frozen=True, slots=True)
class History:
    """The history of a class of topics: `history = History(size=300, seconds=3600, replay=50)`.

    `size` and `seconds` say what is kept of each topic. `replay` entries are sent to a client that subscribes for the
    first time. `max_bytes` limits the event of an entry, as JSON. Without a `store`, entries stay in the memory of the
    process, which is enough for one process alone.
    """

    size: int = 300
    seconds: float = 3600
    replay: int = 0
    max_bytes: int = 65_536
    store: HistoryStore | None = None

    def __post_init__(self) -> None:
        for name, value, least in (
            ("size", self.size, 1),
            ("seconds", self.seconds, 1),
            ("replay", self.replay, 0),
            ("max_bytes", self.max_bytes, 1),
        ):
            if value < least:
                raise ValueError(f"History({name}={value}): at least {least}")
        if self.replay > self.size:
            raise ValueError(f"History(replay={self.replay}): only {self.size} entries are kept")

    def checked(self, event: JSONObject) -> JSONObject:
        """Return an event. Raises ValueError for one that is too large."""
        size = len(to_json(event))
        if size > self.max_bytes:
            raise ValueError(
                f"An event of {size} bytes is too large for the history: History(max_bytes={self.max_bytes})"
            )
        return event

    @property
    def retention(self) -> Retention:
        """How much is kept."""
        return Retention(self.size, self.seconds)


def provable(head: Position, after: Position, entries: list[Entry]) -> list[Entry]:
    """Return what was read after a position. Raises HistoryLostError where it does not follow.

    `entries` are the next of the history whose newest position is `head`.
    """
    if after.epoch != head.epoch or after.offset > head.offset:
        raise HistoryLostError
    if after.offset == head.offset:
        if after != head:
            raise HistoryLostError
        return []
    if not entries or entries[0].before != after:
        raise HistoryLostError
    return entries
