"""Notifying the members of groups that the channel layer lost messages: once, however many groups are affected."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextvars import Context
from typing import Generic, Protocol, TypeVar

from chanx.core._groups.gap_detection import Gaps
from chanx.core._groups.outage import Outage
from chanx.core._runtime.tasks import spawn_apart, stop_task
from chanx.core._telemetry.counters import counters
from chanx.utils.logging import logger

__all__ = ["Losses", "Resynced"]

# Seconds in which further losses are reported together with the first.
_GATHER = 0.25
# How many groups the log names.
_NAMED = 10


class Resynced(Protocol):
    """A member that may have missed messages."""

    def resync(self) -> None:
        """Handle that messages may have been lost."""
        ...


class LossyGroup(Protocol):
    """A group, as far as something may have been lost in it."""

    name: str
    gaps: Gaps

    @property
    def is_open(self) -> bool:
        """True while members receive."""
        ...

    @property
    def members(self) -> Iterable[Resynced]:
        """The members that receive."""
        ...


G = TypeVar("G", bound=LossyGroup)


class Losses(Generic[G]):
    """Collects losses in the groups of a hub for a moment, joins these groups again, and notifies their members.

    If `join_again` raises, an outage begins, after which every member is notified. `repair` mends the groups that have
    a history, and returns the names of the others.
    """

    def __init__(
        self,
        groups: Callable[[], Iterable[G]],
        join_again: Callable[[list[G]], Awaitable[None]],
        outage: Outage,
        repair: Callable[[Iterable[str]], Collection[str]],
    ) -> None:
        self._groups = groups
        self._join_again = join_again
        self._outage = outage
        self._repair = repair
        self._loop = asyncio.get_running_loop()
        self._lost = 0
        self._timer: asyncio.TimerHandle | None = None
        self._reporting: asyncio.Task[None] | None = None

    def note(self, lost: int) -> None:
        """Report a loss soon: a broken connection shows in one group after the other."""
        self._lost += lost
        if self._timer is None:
            self._timer = self._loop.call_later(_GATHER, self._report, context=Context())

    def _report(self) -> None:
        self._timer = None
        self._reporting = spawn_apart(self._report_all())

    async def _report_all(self) -> None:
        groups = [group for group in self._groups() if group.gaps.has_losses]
        lost, self._lost = self._lost + sum(group.gaps.give_up() for group in groups), 0
        counters.dropped["layer"] += lost
        names = [group.name for group in groups[:_NAMED]]
        logger.warning("The channel layer lost %d messages of the groups %s", lost, names)
        try:
            # The layer may have lost the membership itself.
            await self._join_again([group for group in groups if group.is_open])
        except Exception as error:  # a layer may raise anything
            await self._outage.over(error)
            return
        told = self._repair([group.name for group in groups])
        members = (member for group in groups if group.name in told for member in group.members)
        for member in dict.fromkeys(members):
            member.resync()

    async def stop(self) -> None:
        """Stop reporting losses."""
        if self._timer is not None:
            self._timer.cancel()
        if self._reporting is not None:
            await stop_task(self._reporting)
