"""The history of one topic in one process: one position for all members, repaired from the store.

The store has the truth; what the channel layer brings are hints, which it may lose or reorder. An entry that follows
the position is delivered to the live members. A later one waits, and one read for the whole process repairs the
position.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Generic, Protocol, TypeVar

from chanx.core._history.entries import Entry, HistoryLostError, Position, follows
from chanx.core._runtime.tasks import spawn_apart
from chanx.utils.logging import logger

__all__ = ["HistoryReader", "LogItem", "LogMember", "TopicLog"]

# How many entries one read returns at most.
_PAGE = 64
# How many entries wait for those before them.
_STASHED = 64
# How many of the newest entries are kept: a crowd of clients that come back costs the store one read.
_TAIL = 64


class HistoryReader(Protocol):
    """The history of one topic in its store. Calls are limited in time, and raise HistoryUnavailable."""

    async def head(self) -> Position:
        """Return the position after the newest entry."""
        ...

    async def read(self, after: Position, limit: int) -> list[Entry]:
        """Return the next entries. Raises HistoryLostError."""
        ...

    async def latest(self, count: int) -> list[Entry]:
        """Return the newest entries."""
        ...


class LogItem(Protocol):
    """An entry as members take it: decoded once for all of them."""

    @property
    def entry(self) -> Entry:
        """The entry."""
        ...


I = TypeVar("I", bound=LogItem)  # noqa: E741 - an item
Item_contra = TypeVar("Item_contra", bound=LogItem, contravariant=True)


class LogMember(Protocol[Item_contra]):
    """A subscriber of the topic."""

    position: Position
    """Up to where it was given entries, while it is not live."""

    @property
    def has_room(self) -> bool:
        """True while an entry can be given without waiting."""
        ...

    def give(self, item: Item_contra) -> None:
        """Take an entry that is live."""
        ...

    async def take(self, item: Item_contra) -> None:
        """Take an entry that was missed, and wait until it is handled."""
        ...

    def give_resync(self) -> None:
        """Learn, between live entries, that some are lost."""
        ...

    async def take_resync(self) -> None:
        """Learn, between missed entries, that some are lost."""
        ...

    def fall_behind(self) -> None:
        """Learn that there was no room, and that entries after `position` have to be caught up with."""
        ...


class TopicLog(Generic[I]):
    """Gives the entries of one topic to its members: each once, in order, and no gap that they are not told of."""

    def __init__(self, reader: HistoryReader, decode: Callable[[Entry], I]) -> None:
        self._reader = reader
        self._decode = decode
        self._at: Position | None = None
        # A dictionary for its order.
        self._live: dict[LogMember[I], None] = {}
        self._tail: deque[I] = deque(maxlen=_TAIL)
        self._stash: dict[Position, Entry] = {}
        self._repairing: asyncio.Task[None] | None = None
        self._repairs_again = False
        self.last_traffic = asyncio.get_running_loop().time()

    @property
    def position(self) -> Position:
        """Where the live members are."""
        if self._at is None:
            raise RuntimeError("open() has to be awaited first")
        return self._at

    async def open(self) -> None:
        """Begin at the newest entry, unless the log is open. Raises HistoryUnavailable."""
        if self._at is None:
            head = await self._reader.head()
            if self._at is None:  # another member may have been faster
                self._at = head

    # Live entries

    def hear(self, entry: Entry) -> None:
        """Take an entry that the channel layer has brought, in whatever order."""
        at = self._at
        if at is None:
            return
        if follows(entry, at):
            self._give(entry)
            self._give_stashed()
        elif entry.epoch != at.epoch or entry.offset > at.offset:
            self._keep(entry)
            self.repair()
        elif entry.offset == at.offset and entry.token != at.token:
            self.repair()  # the store has lost entries, and has given their offsets to others

    def compare(self, head: Position) -> None:
        """Repair the position if the newest entry of the store is another one."""
        if self._at is not None and head != self._at:
            self.repair()

    def _keep(self, entry: Entry) -> None:
        if len(self._stash) >= _STASHED:
            self._stash.clear()
        self._stash[entry.before] = entry

    def _give_stashed(self) -> None:
        while self._stash and (entry := self._stash.pop(self.position, None)) is not None:
            self._give(entry)

    def _give(self, entry: Entry) -> None:
        before, self._at = self.position, entry.position
        self.last_traffic = asyncio.get_running_loop().time()
        item = self._decode(entry)
        self._tail.append(item)
        for member in [*self._live]:
            if member.has_room:
                member.give(item)
            else:
                del self._live[member]
                member.position = before
                member.fall_behind()

    # Repair

    def repair(self) -> None:
        """Start reading what is missing; if that is under way, once more afterwards."""
        self._repairs_again = True
        if self._repairing is None or self._repairing.done():
            self._repairing = spawn_apart(self._repair())

    async def _repair(self) -> None:
        try:
            while self._repairs_again:
                self._repairs_again = False
                await self._read_on()
        except Exception as error:  # of the store: the next comparison tries again
            logger.debug("A history could not be repaired: %r", error)

    async def _read_on(self) -> None:
        asked = self.position
        try:
            page = await self._reader.read(asked, _PAGE)
        except HistoryLostError:
            head = await self._reader.head()
            if self.position == asked:  # nothing was delivered meanwhile that proves otherwise
                self._start_again(head)
            else:
                self._repairs_again = True
            return
        for entry in page:
            if follows(entry, self.position):
                self._give(entry)
        self._give_stashed()
        if len(page) == _PAGE:
            self._repairs_again = True

    def _start_again(self, head: Position) -> None:
        """Go on from the newest entry, and tell every member that some are lost."""
        self._at = head
        self._stash.clear()
        self._tail.clear()
        for member in self._live:
            member.give_resync()

    # Joining

    async def start_of(self, since: Position | None, replay: int) -> tuple[Position, bool]:
        """Return where a member starts, and whether that is right after `since`. Raises HistoryUnavailable."""
        if since is not None:
            try:
                await self._page(since)
            except HistoryLostError:
                pass
            else:
                return since, True
        newest = await self._reader.latest(replay) if replay else []
        return (newest[0].before if newest else self.position), False

    async def _page(self, after: Position) -> list[I]:
        """Return the next entries, from the tail or from the store. Raises HistoryLostError."""
        if after == self._at:
            return []
        for index, item in enumerate(self._tail):
            if item.entry.before == after:
                return [*islice(self._tail, index, index + _PAGE)]
        return [self._decode(entry) for entry in await self._reader.read(after, _PAGE)]

    async def catch_up(self, member: LogMember[I]) -> None:
        """Give a member what comes after its position, at its pace, until it is where the live members are.

        Raises HistoryUnavailable; it may be called again then.
        """
        # It becomes live in the turn of the event loop in which the positions meet, so that nothing comes between.
        while member.position != self.position:
            try:
                page = await self._page(member.position)
            except HistoryLostError:
                member.position = self.position
                await member.take_resync()
                continue
            for item in page:
                member.position = item.entry.position
                await member.take(item)
            if not page and member.position != self.position:
                # The store has less than this process has heard of: it has lost entries, and nobody has noticed yet.
                self.repair()
                await self.repaired()
        self._live[member] = None

    async def repaired(self) -> None:
        """Wait until what is missing now has been read, or could not be."""
        if self._repairing is not None and not self._repairing.done():
            await asyncio.wait([self._repairing])

    def leave(self, member: LogMember[I]) -> None:
        """Give a member nothing any more."""
        self._live.pop(member, None)

    async def close(self) -> None:
        """End what is under way."""
        if self._repairing is not None and not self._repairing.done():
            self._repairing.cancel()
            await asyncio.wait([self._repairing])
