"""The groups of one connection."""

import asyncio
from collections.abc import Iterable

from chanx.core._groups.hub import GroupMember, Hub
from chanx.core._history.logs import logs_of
from chanx.utils.logging import logger

__all__ = ["Memberships"]


class Memberships:
    """Joins and leaves groups, and remembers which ones to leave at the end.

    `timeout` limits each step, in seconds.
    """

    __slots__ = ("_hub", "_joined", "_member", "_timeout")

    def __init__(self, hub: Hub, member: GroupMember, *, timeout: float) -> None:
        self._hub = hub
        self._member = member
        self._timeout = timeout
        self._joined: set[str] = set()

    @property
    def may_have_lost(self) -> bool:
        """True if a group has no history from which what was lost is repaired."""
        histories = logs_of(self._hub.layer)
        return any(group not in histories for group in self._joined)

    async def join(self, group: str) -> None:
        """Join a group. Raises what the layer raises, TimeoutError when it does not answer."""
        # Noted first: a join that is cancelled may still have reached the layer.
        self._joined.add(group)
        await self._hub.join(group, self._member)
        if group not in self._joined:
            # Another task has left it while this one waited, or the connection has ended.
            await _all_done([self._hub.leave(group, self._member)])

    async def leave(self, group: str) -> None:
        """Leave a group, whether it was joined here, through the layer itself, or not at all."""
        if group in self._joined:
            self._joined.discard(group)
            await _all_done([self._hub.leave(group, self._member)])
        else:
            await self.leave_by_hand(group)

    async def leave_all(self, others: Iterable[str] = ()) -> None:
        """Leave every group joined here, and the others, which may have been joined through the layer itself.

        A failure is logged, and the remaining groups are left all the same.
        """
        joined, self._joined = self._joined, set()
        await _all_done([self._hub.leave(group, self._member) for group in joined])
        for group in set(others) - joined:
            await self.leave_by_hand(group)

    async def leave_by_hand(self, group: str) -> None:
        """Remove the connection's own channel, if it has one, from a group. A failure is logged."""
        if not self._member.channel:
            return
        try:
            async with asyncio.timeout(self._timeout):
                await self._hub.layer.group_discard(group, self._member.channel)
        except Exception as error:  # a layer may raise anything
            layer = self._hub.describe_layer()
            logger.warning("Could not leave group %r of %s: %r", group, layer, error)


async def _all_done(closing: "list[asyncio.Task[None] | None]") -> None:
    tasks = [task for task in closing if task is not None and not task.done()]
    if tasks:
        await asyncio.wait(tasks)
