"""The histories that have members in this process."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

from chanx.core._history.entries import Entry
from chanx.core._history.reader import StoreReader, answering
from chanx.core._history.store import HistoryStore
from chanx.core._history.topic_log import LogItem, TopicLog
from chanx.core._runtime.tasks import spawn_apart, stop_task
from chanx.type_defs import ChannelLayer
from chanx.utils.logging import logger

__all__ = ["Log", "Logs", "logs_of"]

# Seconds between comparisons with the store: of topics with recent traffic, and of every so many of all others.
_INTERVAL, _OF_ALL = 1.0, 25
# Seconds for which traffic is recent.
_RECENT = 60.0
# How many histories are compared in one call of a store.
_BATCH = 500

# Any: deliveries, of which the groups know more.
Log = TopicLog[Any]


class Logs:
    """Holds a log for each topic with members here, and compares them with their stores.

    The channel layer says what is new, and may lose it: a comparison finds that within a second or so.
    """

    def __init__(self) -> None:
        self._logs: dict[str, tuple[Log, HistoryStore]] = {}
        self._holders: dict[str, int] = {}
        self._watching: asyncio.Task[None] | None = None
        self._rounds = 0

    def hold(self, key: str, store: HistoryStore, decode: Callable[[Entry], LogItem]) -> Log:
        """Return the log of a topic. The caller must `release()` it, whatever comes."""
        if key not in self._logs:
            self._logs[key] = TopicLog(StoreReader(store, key), decode), store
        self._holders[key] = self._holders.get(key, 0) + 1
        if self._watching is None:
            self._watching = spawn_apart(self._watch())
        return self._logs[key][0]

    async def release(self, key: str) -> None:
        """Give a log back; the last holder ends it."""
        self._holders[key] -= 1
        if self._holders[key]:
            return
        del self._holders[key]
        log, _ = self._logs.pop(key)
        watching = None
        if not self._logs:
            watching, self._watching = self._watching, None
        await log.close()
        if watching is not None:
            await stop_task(watching)

    def hear(self, key: str, entry: Entry) -> None:
        """Take an entry that the channel layer has brought."""
        found = self._logs.get(key)
        if found is not None:
            found[0].hear(entry)

    def repair(self, keys: Iterable[str]) -> list[str]:
        """Read what may be missing of these topics; return the keys that have no history."""
        others: list[str] = []
        for key in keys:
            if key in self._logs:
                self._logs[key][0].repair()
            else:
                others.append(key)
        return others

    def __contains__(self, key: object) -> bool:
        return key in self._logs

    # Comparing

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_INTERVAL)
            self._rounds += 1
            for store, keys in self._due().items():
                try:
                    await self._compare(store, keys)
                except Exception as error:  # the next round tries again
                    logger.debug("Histories could not be compared: %r", error)

    def _due(self) -> dict[HistoryStore, list[str]]:
        """Return the topics of this round by store."""
        since = asyncio.get_running_loop().time() - _RECENT
        all_of_them = self._rounds % _OF_ALL == 0
        due: dict[HistoryStore, list[str]] = {}
        for key, (log, store) in self._logs.items():
            if all_of_them or log.last_traffic > since:
                due.setdefault(store, []).append(key)
        return due

    async def _compare(self, store: HistoryStore, keys: list[str]) -> None:
        for start in range(0, len(keys), _BATCH):
            batch = keys[start : start + _BATCH]
            async with answering(store):
                heads = await store.heads(batch)
            for key, head in zip(batch, heads, strict=True):
                if key in self._logs:
                    self._logs[key][0].compare(head)


# By event loop, too: one that is closed leaves nothing to release.
_logs: WeakKeyDictionary[ChannelLayer, dict[asyncio.AbstractEventLoop, Logs]] = WeakKeyDictionary()


def logs_of(layer: ChannelLayer) -> Logs:
    """Return the histories of the topics that members follow through a channel layer, on the running event loop."""
    loop = asyncio.get_running_loop()
    of_loops = _logs.setdefault(layer, {})
    if loop not in of_loops:
        for other in [other for other in of_loops if other.is_closed()]:
            del of_loops[other]
        of_loops[loop] = Logs()
    return of_loops[loop]
