"""The groups of one process: one membership in the channel layer for each group that has members here.

A hub serves one event loop and one channel layer. For each group it has a channel of the layer and a task that receives
from that channel. It decodes each message once and delivers it to the members, which it keeps.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import Any, Protocol, cast

from chanx.core._declarations.channel_layer import ChannelLayerChoice
from chanx.core._groups.announcer import Announcement, Tail, announcer_of
from chanx.core._groups.fanout import Member, delivery_of, fan_out
from chanx.core._groups.gap_detection import Gaps
from chanx.core._groups.heartbeat import Heartbeat
from chanx.core._groups.losses import Losses, Resynced
from chanx.core._groups.markers import Markers
from chanx.core._groups.outage import Outage
from chanx.core._groups.receiving import abandon, end_receiving, settle
from chanx.core._history.entries import entry_in
from chanx.core._history.logs import logs_of
from chanx.core._runtime.tasks import forget_closed_loops, spawn_apart, stop_task
from chanx.core._telemetry.failure_log import report_layer_failures
from chanx.core.layers import REFUSALS
from chanx.type_defs import ASGIEvent, ChannelLayer
from chanx.utils.logging import logger

__all__ = ["GroupMember", "Hub", "open_groups", "running_hubs"]

# Layers forget a membership after their `group_expiry`. It is renewed three times in that time, but at least every so
# many seconds.
_RENEWAL = 3600.0
# How many memberships are renewed concurrently after an outage.
_RENEW_BATCH = 50


class GroupMember(Member, Resynced, Protocol):
    """A connection, as a hub sees it."""


class Group:
    """One group and its members in this process."""

    __slots__ = (
        "channel", "closing", "failure", "gaps", "members", "name", "ready", "renewing", "task",
    )  # fmt: skip

    def __init__(
        self, name: str, loop: asyncio.AbstractEventLoop, on_loss: Callable[[int], None]
    ) -> None:
        self.name = name
        self.channel = ""
        # A dictionary for its order: members receive in the order in which they joined.
        self.members: dict[GroupMember, None] = {}
        self.ready: asyncio.Future[None] = loop.create_future()
        self.renewing: asyncio.Future[None] | None = None
        self.task: asyncio.Task[None] | None = None
        self.closing = False
        self.gaps = Gaps(on_loss)
        self.failure: Exception | None = None

    @property
    def is_open(self) -> bool:
        """True while members receive."""
        return self.ready.done() and not self.closing


class Hub:
    """Every group with members in this process, on one event loop and one channel layer.

    It lives as long as a connection holds it. `timeout` limits each call of the layer, in seconds.
    """

    def __init__(self, layer: ChannelLayer, choice: ChannelLayerChoice, *, timeout: float) -> None:
        self.layer = layer
        self.traits = choice.traits(layer)
        self._choice = choice
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._groups: dict[str, Group] = {}
        self._holders: set[GroupMember] = set()
        self._left_behind = _orphans.pop(layer, set())
        self._stragglers: list[tuple[asyncio.Task[None], str]] = []
        self.outage = Outage(self._renew_all, self._resume, self.describe_layer)
        self._histories = logs_of(layer)
        self._losses = Losses(
            self._groups.values, self._join_again, self.outage, self._histories.repair
        )
        self._announcer = announcer_of(layer)
        self._announcer.listen(self._hear)
        self._heartbeat = (
            None
            if self.traits.is_local
            else Heartbeat(layer, self.outage, timeout, self._take, self._join_all_again)
        )
        # Created when a test needs it: other processes need not search messages for markers.
        self._markers: Markers | None = None
        self._renewal: asyncio.TimerHandle | None = None
        self._renewing = spawn_apart(self._renew_regularly()) if self._left_behind else None

    @classmethod
    def held(
        cls, layer: ChannelLayer, holder: GroupMember, choice: ChannelLayerChoice, *, timeout: float
    ) -> "Hub":
        """Return the hub of a layer on the running loop. The caller must `release()` it."""
        key = asyncio.get_running_loop(), layer
        hub = _hubs.get(key)
        if hub is None:
            forget_closed_loops(_hubs)
            hub = _hubs[key] = cls(layer, choice, timeout=timeout)
        hub._holders.add(holder)
        return hub

    async def release(self, holder: GroupMember) -> None:
        """Stop holding the hub; the last holder closes it."""
        self._holders.discard(holder)
        if self._holders:
            return
        # From here on, a new connection gets a new hub.
        _hubs.pop((self._loop, self.layer), None)
        # While the layer is still in use: tell other processes the last sequence numbers.
        await self._announce_last()
        # Before groups are left: a later renewal would join them again.
        await self._stop_joining_again()
        for group in [*self._groups.values()]:
            self._close(group)
            await _ended(group)
        # Receivers that an outage kept from ending.
        await self._stop_stragglers()
        if self._heartbeat is not None:
            for membership in await self._heartbeat.end():
                await self._end_membership(*membership)
        # After every receiver has ended: the layer's locks and acknowledgements.
        await settle(self.layer, is_down=self.outage.is_on, within=self._timeout)
        # Memberships that could not be ended before. The next hub of the layer ends the rest.
        if not self.outage.is_on:
            with suppress(Exception):  # a layer may raise anything
                await self._end_left_behind()
        if self._left_behind:
            _orphans.setdefault(self.layer, set()).update(self._left_behind)

    async def _stop_joining_again(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
        if self._renewing is not None:
            await stop_task(self._renewing)
        if self._heartbeat is not None:
            await self._heartbeat.stop()
        await self._losses.stop()
        await self.outage.stop()

    async def _announce_last(self) -> None:
        """Announce this process's last sequence numbers: it may be about to end."""
        self._announcer.stop_listening(self._hear)
        if self._heartbeat is None or self.outage.is_on:
            return
        with suppress(Exception):  # a layer may raise anything
            await self._announcer.announce(self.layer, timeout=self._timeout)

    @property
    def group_count(self) -> int:
        """How many groups have members here."""
        return len(self._groups)

    def check(self) -> None:
        """Raise ConnectionError during an outage of the layer, instead of waiting for a call that will fail."""
        if self.outage.is_on:
            raise ConnectionError(f"{self.describe_layer()} does not answer")

    def describe_layer(self) -> str:
        """Name the layer in errors and logs."""
        return self._choice.describe(self.layer)

    async def join(self, name: str, member: GroupMember) -> None:
        """Make a connection a member; the first one opens the group. Joining twice has no further effect.

        Raises what the layer raises, TimeoutError when it does not answer.
        """
        while not await self._joined(name, member):
            pass

    async def _joined(self, name: str, member: GroupMember) -> bool:
        """Join and return true, or wait until joining may be tried again and return false."""
        self.check()
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = Group(name, self._loop, self._losses.note)
            group.members[member] = None
            await self._open(group)
            return True
        if group.closing:
            await _ended(group)
            return False
        # Before the group is open: with a member it is not closed as soon as it is open.
        group.members[member] = None
        if group.ready.done():
            return True
        try:
            await asyncio.wait([group.ready])
        except asyncio.CancelledError:
            self.leave(name, member)
            raise
        if group.failure is not None:
            raise group.failure
        return not group.closing

    async def stop_receiving(self, receiving: "asyncio.Task[None]", channel: str) -> None:
        """End a task that receives from a channel; during an outage, end it when the layer is back."""
        if self._markers is not None:
            self._markers.give_up(channel)
        if self.outage.is_on:
            self._stragglers.append((receiving, channel))
        else:
            await end_receiving(self.layer, channel, receiving, within=self._timeout)

    async def _stop_stragglers(self) -> None:
        while self._stragglers:
            receiving, channel = self._stragglers.pop()
            await end_receiving(self.layer, channel, receiving, within=self._timeout)

    def leave(self, name: str, member: GroupMember) -> "asyncio.Task[None] | None":
        """End a membership, if there is one. If it was the last, close the group and return the task that does so."""
        group = self._groups.get(name)
        if group is None or member not in group.members:
            return None
        del group.members[member]
        # A group that is still being opened is closed by `_open()`.
        return self._close(group) if not group.members and group.ready.done() else None

    async def _open(self, group: Group) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                group.channel = await self.layer.new_channel()
                await self.layer.group_add(group.name, group.channel)
        except BaseException as error:
            group.closing = True
            group.failure = error if isinstance(error, Exception) else None
            group.task = spawn_apart(self._undo(group))
            group.ready.set_result(None)
            raise
        group.gaps.begin()  # what was sent while the layer added the membership is not missing
        if self._renewal is None:
            self._renew_later()
        group.task = spawn_apart(self._pump(group))
        group.ready.set_result(None)
        if not group.members:
            self._close(group)

    async def _undo(self, group: Group) -> None:
        """Clean up after an opening that failed or was cancelled: the layer may have added the membership."""
        try:
            if group.channel:
                await abandon(self.layer, group.channel, within=self._timeout)
        finally:
            await self._discard(group)

    def _close(self, group: Group) -> "asyncio.Task[None] | None":
        if not group.closing and group.task is not None:
            group.closing = True
            group.task = spawn_apart(self._retire(group, group.task))
        return group.task

    async def _retire(self, group: Group, pumping: asyncio.Task[None]) -> None:
        try:
            await self.stop_receiving(pumping, group.channel)
        finally:
            await self._discard(group)

    async def _pump(self, group: Group) -> None:
        while True:
            await self._receive(group)

    async def _receive(self, group: Group) -> None:
        try:
            message = await self.layer.receive(group.channel)
        except Exception as error:  # a layer may raise anything
            await self.outage.over(error)
            return
        if self.is_marker(message):
            return
        if not group.gaps.note(message.get("sender"), message.get("number"), message.get("since")):
            return
        if (entry := entry_in(message)) is not None:
            self._histories.hear(group.name, entry)
            return
        try:
            delivery = delivery_of(message)
            if delivery is not None:
                await fan_out(delivery, group.members)
        except Exception:
            logger.exception("Message of group %r could not be delivered", group.name)

    async def catch_up(self) -> None:
        """Wait until this process has received everything sent to its channels so far.

        Raises what the layer raises, in an exception group.
        """
        if self._markers is None:
            self._markers = Markers(self.layer)
        groups = [group.channel for group in self._groups.values() if group.is_open]
        own = [holder.channel for holder in self._holders if holder.channel]
        await self._markers.follow([*groups, *own])

    def is_marker(self, message: ASGIEvent) -> bool:
        """Return whether a message is a marker that this hub has sent itself; if so, it is done with."""
        return self._markers is not None and self._markers.take(message)

    async def _discard(self, group: Group) -> None:
        group.gaps.forget()
        try:
            if group.renewing is not None:
                # A renewal must not join the group again after this.
                await asyncio.wait([group.renewing])
            if group.channel:
                await self._end_membership(group.name, group.channel)
        except asyncio.CancelledError:
            # An event loop that shuts down cancels this task too, and waits for it.
            await self._end_membership(group.name, group.channel)
            raise
        finally:
            if self._groups.get(group.name) is group:
                del self._groups[group.name]

    async def _end_membership(self, name: str, channel: str) -> None:
        # Noted first: this may be cancelled. Then the membership is ended after the outage, or by the next hub.
        self._left_behind.add((name, channel))
        # During an outage nothing waits for the layer.
        if self.outage.is_on:
            return
        try:
            await self._forget(name, channel)
        except Exception as error:  # a layer may raise anything
            logger.warning("Could not leave group %r of %s: %r", name, self.describe_layer(), error)
        else:
            self._left_behind.discard((name, channel))

    async def _end_left_behind(self) -> None:
        """End the memberships that could not be ended before. Raises what the layer raises."""
        while self._left_behind:
            name, channel = next(iter(self._left_behind))
            await self._forget(name, channel)
            self._left_behind.discard((name, channel))

    async def _forget(self, name: str, channel: str) -> None:
        # A client may have chosen a name that the layer rejects. Such a group has no members.
        with suppress(*REFUSALS):
            async with asyncio.timeout(self._timeout):
                await self.layer.group_discard(name, channel)

    def _renew_later(self) -> None:
        expiry = getattr(self.layer, "group_expiry", None)
        interval = min(expiry / 3, _RENEWAL) if isinstance(expiry, int | float) else _RENEWAL
        self._renewal = self._loop.call_later(interval, self._renew_now, context=Context())

    def _renew_now(self) -> None:
        self._renewing = spawn_apart(self._renew_regularly())
        self._renew_later()

    async def _renew_regularly(self) -> None:
        try:
            await self._renew_all()
        except Exception as error:  # a layer may raise anything
            await self.outage.over(error)

    async def _renew_all(self) -> None:
        """Join every group again. Raises what the layer raises."""
        await self._end_left_behind()
        await self._stop_stragglers()
        await self._join_all_again()
        if self._heartbeat is not None:
            await self._heartbeat.renew()
            await self._heartbeat.beat()

    async def _join_all_again(self) -> None:
        await self._join_again([group for group in self._groups.values() if group.is_open])

    async def _join_again(self, groups: list[Group]) -> None:
        for start in range(0, len(groups), _RENEW_BATCH):
            await asyncio.gather(*map(self._renew, groups[start : start + _RENEW_BATCH]))

    async def _renew(self, group: Group) -> None:
        if not group.is_open:
            return
        if group.renewing is not None:
            await asyncio.wait([group.renewing])
            return
        group.renewing = self._loop.create_future()
        try:
            async with asyncio.timeout(self._timeout):
                await self.layer.group_add(group.name, group.channel)
        finally:
            group.renewing.set_result(None)
            group.renewing = None

    # Losses

    def _take(self, message: ASGIEvent) -> None:
        """Process an announcement that came through the layer, from any process."""
        tails = cast("list[Any]", message.get("tails") or ())
        self._hear([Tail(*tail) for tail in tails])

    def _hear(self, announcement: Announcement) -> None:
        for name, sender, number, age in announcement:
            group = self._groups.get(name)
            if group is not None and group.is_open:
                group.gaps.hear(sender, number, age)

    def _resume(self) -> None:
        report_layer_failures(self.layer)
        for group in self._groups.values():
            group.gaps.forget()
        self._histories.repair(self._groups)
        for holder in [*self._holders]:
            holder.resync()


_hubs: dict[tuple[asyncio.AbstractEventLoop, ChannelLayer], Hub] = {}
# Memberships that the last connection of a hub could not end: the next hub of the layer ends them.
_orphans: dict[ChannelLayer, set[tuple[str, str]]] = {}


def open_groups() -> int:
    """Return how many groups have members in this process."""
    return sum(hub.group_count for hub in [*_hubs.values()])


def running_hubs() -> list[Hub]:
    """Return the hubs of the running loop."""
    running = asyncio.get_running_loop()
    return [hub for (loop, _), hub in _hubs.items() if loop is running]


async def _ended(group: Group) -> None:
    if group.task is not None and not group.task.done():
        await asyncio.wait([group.task])
