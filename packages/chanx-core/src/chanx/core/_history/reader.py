"""One topic's way to the store of its history: every call is limited in time, and fails in one way."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chanx.core._history.entries import Entry, HistoryLostError, Position
from chanx.core._history.store import HistoryStore, HistoryUnavailable, Retention
from chanx.type_defs import JSONObject

__all__ = ["StoreReader", "answering", "append"]

# Seconds for one call of a store.
_TIMEOUT = 5.0


@asynccontextmanager
async def answering(store: HistoryStore) -> AsyncGenerator[None]:
    """Raise HistoryUnavailable for whatever a store raises, and where it does not answer in time."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            yield
    except HistoryLostError:
        raise
    except Exception as error:  # a store may raise anything
        raise HistoryUnavailable(f"{type(store).__name__} is unavailable: {error!r}") from error


async def append(store: HistoryStore, key: str, event: JSONObject, retention: Retention) -> Entry:
    """Append an event. Raises HistoryUnavailable."""
    async with answering(store):
        return await store.append(key, event, retention)


class StoreReader:
    """Reads the history of one topic. Raises HistoryUnavailable."""

    __slots__ = ("_key", "store")

    def __init__(self, store: HistoryStore, key: str) -> None:
        self.store = store
        self._key = key

    async def head(self) -> Position:
        """Return the position after the newest entry."""
        async with answering(self.store):
            (head,) = await self.store.heads([self._key])
        return head

    async def read(self, after: Position, limit: int) -> list[Entry]:
        """Return the next entries. Raises HistoryLostError."""
        async with answering(self.store):
            return await self.store.read(self._key, after, limit)

    async def latest(self, count: int) -> list[Entry]:
        """Return the newest entries."""
        async with answering(self.store):
            return await self.store.latest(self._key, count)
