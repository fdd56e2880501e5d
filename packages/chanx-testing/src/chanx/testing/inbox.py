"""What an application has sent, until a test asks for it."""

import asyncio
from collections.abc import Callable

from chanx.type_defs import ASGIEvent

__all__ = ["Inbox", "Search"]

Wanted = Callable[[ASGIEvent], bool]


class Inbox:
    """ASGI events in the order in which they came.

    Several may wait at once: each takes the first event that it wants, and leaves the others where they are.
    """

    def __init__(self) -> None:
        self.ended: bool = False
        self._events: list[tuple[int, ASGIEvent]] = []
        self._count = 0
        self._waiters: list[asyncio.Future[bool]] = []

    def put(self, event: ASGIEvent) -> None:
        """Add an event at the end."""
        self._count += 1
        self._events.append((self._count, event))
        self._tell()

    def end(self) -> None:
        """Say that nothing more will come."""
        self.ended = True
        self._tell()

    def empty(self) -> bool:
        """Tell whether nothing waits here."""
        return not self._events

    def qsize(self) -> int:
        """Return how many events wait here."""
        return len(self._events)

    def events(self) -> list[ASGIEvent]:
        """Return what waits here, and leave it."""
        return [event for _, event in self._events]

    def first(self) -> ASGIEvent | None:
        """Return the first event, and leave it; None without any."""
        return self._events[0][1] if self._events else None

    def take(self) -> ASGIEvent | None:
        """Remove the first event; None without any."""
        return self._events.pop(0)[1] if self._events else None

    def search(self, wanted: Wanted) -> "Search":
        """Begin to look for the first event that is wanted; `wanted` is asked once for each, and may raise."""
        return Search(self, wanted)

    async def wait_for(self, wanted: Wanted, timeout: float | None) -> ASGIEvent | None:
        """Remove and return the first event that is wanted; None when nothing more will come. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        search = self.search(wanted)
        while not search.take():
            if self.ended:
                return None
            if await self._change(deadline):
                raise TimeoutError
        return search.found

    def take_wanted(self, wanted: Wanted, after: int) -> tuple[ASGIEvent | None, int]:
        """Remove the first wanted event behind number `after`; and the number up to which none is wanted."""
        for index, (number, event) in enumerate(self._events):
            if number > after and wanted(event):
                del self._events[index]
                return event, number
        return None, self._count

    async def _change(self, deadline: float | None) -> bool:
        """Wait until something comes; True when the time was over first."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiters.append(waiter)
        timer = None if deadline is None else loop.call_at(deadline, _expire, waiter)
        try:
            return await waiter
        finally:
            if timer is not None:
                timer.cancel()
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _tell(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(False)


class Search:
    """Looks through an inbox, and goes on where it was when more has come."""

    def __init__(self, inbox: Inbox, wanted: Wanted) -> None:
        self.found: ASGIEvent | None = None
        self._inbox = inbox
        self._wanted = wanted
        self._seen = 0

    def take(self) -> bool:
        """Remove the event from the inbox, if it is there by now."""
        if self.found is None:
            self.found, self._seen = self._inbox.take_wanted(self._wanted, self._seen)
        return self.found is not None


def _expire(waiter: "asyncio.Future[bool]") -> None:
    if not waiter.done():
        waiter.set_result(True)
