"""A channel layer in memory that fails on demand."""

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any
from uuid import uuid4

from chanx.testing.clock import Clock
from chanx.testing.faults import ChannelFullError, Fault, FaultKind, LayerDownError, Treatment

__all__ = ["FaultyChannelLayer"]

# Any: a layer carries what its users put into messages.
Message = Mapping[str, Any]

# As the layers of Channels have it.
_NAME = re.compile(r"[a-zA-Z\d\-_.!]{1,99}")


class FaultyChannelLayer:
    """Works like the in-memory layers of Channels and fast-channels, until a test asks for a fault.

    Faults concern one group, one channel, or without either every message; several add up. `clock` stands still until
    the test advances it: delayed messages, `expiry` and `group_expiry` go by it. Times are in seconds.
    """

    extensions: tuple[str, ...] = ("groups", "flush")

    def __init__(
        self,
        *,
        capacity: int = 100,
        expiry: float = 60,
        group_expiry: float = 86400,
        clock: Clock | None = None,
    ) -> None:
        self.capacity = capacity
        self.expiry = expiry
        self.group_expiry = group_expiry
        self.clock: Clock = clock or Clock()
        self.channels: dict[str, deque[tuple[float, Message]]] = {}
        self.groups: dict[str, dict[str, float]] = {}
        self.faults: list[Fault] = []
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}

    # Faults

    def drop(
        self, *, group: str | None = None, channel: str | None = None, count: int | None = None
    ) -> Fault:
        """Lose messages without a word."""
        return self._fault("drop", group, channel, count)

    def delay(
        self,
        seconds: float,
        *,
        group: str | None = None,
        channel: str | None = None,
        count: int | None = None,
    ) -> Fault:
        """Deliver messages later: when the clock has advanced by so much."""
        return self._fault("delay", group, channel, count, seconds=seconds)

    def duplicate(
        self,
        *,
        times: int = 2,
        group: str | None = None,
        channel: str | None = None,
        count: int | None = None,
    ) -> Fault:
        """Deliver messages so many times."""
        return self._fault("duplicate", group, channel, count, times=times)

    def full(
        self, *, group: str | None = None, channel: str | None = None, count: int | None = None
    ) -> Fault:
        """Have no room: sending to a channel raises ChannelFullError, sending to a group skips it."""
        return self._fault("full", group, channel, count)

    def down(
        self,
        *,
        group: str | None = None,
        channel: str | None = None,
        count: int | None = None,
        forget: bool = False,
    ) -> Fault:
        """Raise LayerDownError from every call, those that wait already included.

        `forget` loses all messages and memberships, as a Redis that comes back empty.
        """
        fault = self._fault("down", group, channel, count)
        if forget:
            self.channels, self.groups = {}, {}
        for name, waiters in self._waiters.items():
            if fault.concerns(None, name):
                _wake(*waiters)
        return fault

    def heal(self) -> None:
        """End every fault."""
        self.faults.clear()

    def _fault(
        self,
        kind: FaultKind,
        group: str | None,
        channel: str | None,
        count: int | None,
        *,
        seconds: float = 0.0,
        times: int = 1,
    ) -> Fault:
        fault = Fault(
            kind=kind,
            group=group,
            channel=channel,
            count=count,
            seconds=seconds,
            times=times,
            on_stop=self._end_fault,
        )
        self.faults.append(fault)
        return fault

    def _end_fault(self, fault: Fault) -> None:
        if fault in self.faults:
            self.faults.remove(fault)

    def _meeting(self, group: str | None, channel: str | None) -> list[Fault]:
        return [fault for fault in self.faults if fault.concerns(group, channel)]

    def _check_up(self, group: str | None = None, channel: str | None = None) -> None:
        for fault in self._meeting(group, channel):
            if fault.kind == "down":
                fault.hit()
                raise LayerDownError("The channel layer is down, as the test asked.")

    # The channel layer

    async def new_channel(self, prefix: str = "specific.") -> str:
        """Return a channel name that nobody else listens on."""
        self._check_up()
        return f"{prefix}inmemory!{uuid4().hex[:12]}"

    async def send(self, channel: str, message: Message) -> None:
        """Put a message on one channel; raises ChannelFullError when it has no room, LayerDownError."""
        _check_name(channel)
        self._check_up(channel=channel)
        treatment = Treatment()
        treatment.suffer(self._meeting(None, channel))
        self._deliver(channel, message, treatment)

    async def receive(self, channel: str) -> Message:
        """Wait for the next message of a channel. Raises LayerDownError."""
        _check_name(channel)
        while True:
            self._check_up(channel=channel)
            message = self._take(channel)
            if message is not None:
                return message
            await self._arrival(channel)

    async def group_add(self, group: str, channel: str) -> None:
        """Make the channel a member of the group. Raises LayerDownError."""
        _check_name(group)
        self._check_up(group, channel)
        self.groups.setdefault(group, {})[channel] = self.clock.now

    async def group_discard(self, group: str, channel: str) -> None:
        """End the channel's membership, if it has one. Raises LayerDownError."""
        _check_name(group)
        self._check_up(group, channel)
        members = self.groups.get(group, {})
        members.pop(channel, None)
        if not members:
            self.groups.pop(group, None)

    async def group_send(self, group: str, message: Message) -> None:
        """Put a message on the channel of every member; full ones are skipped. Raises LayerDownError."""
        _check_name(group)
        self._check_up(group)
        common = Treatment()
        common.suffer(fault for fault in self._meeting(group, None) if fault.channel is None)
        for channel in self._members(group):
            treatment = replace(common)
            treatment.suffer(fault for fault in self._meeting(group, channel) if fault.channel)
            try:
                self._deliver(channel, message, treatment)
            except ChannelFullError:
                continue

    async def flush(self) -> None:
        """Forget messages and memberships; faults stay."""
        self.channels, self.groups = {}, {}

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _members(self, group: str) -> list[str]:
        members = self.groups.get(group, {})
        for channel, joined in list(members.items()):
            if joined + self.group_expiry < self.clock.now:
                del members[channel]
        return list(members)

    def _deliver(self, channel: str, message: Message, treatment: Treatment) -> None:
        if treatment.is_dropped:
            return
        if treatment.is_refused:
            raise ChannelFullError(channel)
        # Copied now: what the sender does with it later must not show.
        message = deepcopy(message)
        if treatment.delay:
            self.clock.call_later(
                treatment.delay, lambda: self._put_late(channel, message, treatment.copies)
            )
            return
        self._put(channel, message, treatment.copies)

    def _put_late(self, channel: str, message: Message, copies: int) -> None:
        """Nobody is there any more to be told that a channel is full."""
        try:
            self._put(channel, message, copies)
        except ChannelFullError:
            return

    def _put(self, channel: str, message: Message, copies: int) -> None:
        queue = self.channels.setdefault(channel, deque())
        for _ in range(copies):
            if len(queue) >= self.capacity:
                raise ChannelFullError(channel)
            queue.append((self.clock.now + self.expiry, deepcopy(message)))
        _wake(*self._waiters.get(channel, ()))

    def _take(self, channel: str) -> Message | None:
        queue = self.channels.get(channel)
        while queue:
            expires, message = queue.popleft()
            if not queue:
                self.channels.pop(channel, None)
            if expires >= self.clock.now:
                return message
        return None

    async def _arrival(self, channel: str) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(channel, []).append(waiter)
        try:
            await waiter
        finally:
            waiters = self._waiters[channel]
            waiters.remove(waiter)
            if not waiters:
                del self._waiters[channel]


def _wake(*waiters: "asyncio.Future[None]") -> None:
    # The sync twins may send from the loop of another thread.
    for waiter in waiters:
        waiter.get_loop().call_soon_threadsafe(_finish, waiter)


def _finish(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise TypeError(
            f"{name!r} is no name of a group or channel: layers take up to 99 ASCII letters, digits, hyphens, "
            "underscores and periods. Make names from user data with chanx.utils.groups.safe_group_name()."
        )
