"""The history of one topic, as one client gets it: what it missed at its own pace, then what is live."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from chanx.core._groups.fanout import EntryDelivery, Member
from chanx.core._groups.subscriber import Subscriber
from chanx.core._history.entries import Entry, Position, parse_cursor
from chanx.core._history.logs import Log, logs_of
from chanx.core._history.store import History, HistoryStore, HistoryUnavailable
from chanx.core._runtime.tasks import spawn, stop_task
from chanx.messages.topic import RecoveredPayload
from chanx.utils.logging import logger

__all__ = ["Recovery"]

# Seconds after which a store that did not answer is asked again.
_RETRY = 1.0
# Seconds that a cancelled handler has to clean up.
_CLEANUP = 1.0


class _Step:
    """Does something at its turn among the deliveries."""

    action = None

    def __init__(self, act: Callable[[Member], Coroutine[Any, Any, None]]) -> None:
        self._act = act

    def frames_for(self, member: Member) -> None:
        """Return None: it is no message."""

    async def give(self, member: Member) -> None:
        """Do it."""
        await self._act(member)


class Recovery:
    """Makes the subscriber of a connection a member of the log of a topic, and ends that.

    `tell_resync` tells the client that entries are lost.
    """

    def __init__(
        self,
        subscriber: Subscriber,
        name: str,
        key: str,
        history: History,
        store: HistoryStore,
        tell_resync: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._subscriber = subscriber
        self._key = key
        self._history = history
        self._tell_resync = tell_resync
        self._catching_up: asyncio.Task[None] | None = None
        self._is_over = False

        def decode(entry: Entry) -> EntryDelivery:
            return EntryDelivery(name, entry)

        self._logs = logs_of(subscriber.layer)
        self._log: Log = self._logs.hold(key, store, decode)
        self.position = Position("", 0, "")
        self.handled: Position = self.position
        """Up to where the client has the history."""

    @property
    def is_idle(self) -> bool:
        """True while nothing that was missed is being sent."""
        return self._catching_up is None or self._catching_up.done()

    async def find_start(self, since: object) -> RecoveredPayload:
        """Find out where the client starts; `since` is its cursor, or anything else. Raises HistoryUnavailable."""
        await self._log.open()
        cursor = parse_cursor(since)
        self.position, recovered = await self._log.start_of(cursor, self._history.replay)
        self.handled = self.position
        return RecoveredPayload(recovered=recovered, cursor=self.position.cursor)

    def confirmed_again(self) -> RecoveredPayload:
        """Return the confirmation for a client that asks again: it misses nothing."""
        return RecoveredPayload(recovered=True, cursor=self.handled.cursor)

    def start(self) -> None:
        """Send what was missed, and then what is live."""
        if self._is_over:
            return  # the topic was given up while this waited for its turn
        self._catching_up = spawn(self._catch_up(), context=self._subscriber.context.copy())

    async def _catch_up(self) -> None:
        while True:
            try:
                await self._log.catch_up(self)
            except HistoryUnavailable as error:
                logger.debug("Waiting for a history: %s", error)
                await asyncio.sleep(_RETRY)
            else:
                return

    async def end(self) -> None:
        """Send nothing more."""
        self._is_over = True
        try:
            if self._catching_up is not None:
                await stop_task(self._catching_up, within=_CLEANUP)
        finally:
            # Last: a handler that ignores its cancellation may have let it become live meanwhile.
            self._log.leave(self)
            await self._logs.release(self._key)

    # As a member of the log

    @property
    def has_room(self) -> bool:
        """True while an entry can be given without waiting."""
        return self._subscriber.has_room

    def give(self, item: EntryDelivery) -> None:
        """Take an entry that is live."""
        self._subscriber.put(_Step(partial(self._handle, item)))

    async def take(self, item: EntryDelivery) -> None:
        """Take an entry that was missed, and wait until it is handled."""
        await self._subscriber.handle(_Step(partial(self._handle, item)))

    def give_resync(self) -> None:
        """Tell the client between live entries."""
        self._subscriber.put(_Step(self._resync))

    async def take_resync(self) -> None:
        """Tell the client between missed entries."""
        await self._subscriber.handle(_Step(self._resync))

    def fall_behind(self) -> None:
        """Go on at the pace of the client, once what is queued has been handled."""
        self._subscriber.put(_Step(self._go_on))

    # At their turn

    async def _handle(self, item: EntryDelivery, member: Member) -> None:
        await item.give(member)
        self.handled = item.entry.position

    async def _resync(self, member: Member) -> None:
        await self._tell_resync()

    async def _go_on(self, member: Member) -> None:
        self.start()
