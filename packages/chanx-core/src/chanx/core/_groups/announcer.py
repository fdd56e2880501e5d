"""Sequence numbers on the messages of groups: they let receivers detect what a channel layer lost.

Layers drop a group's message silently when a channel is full, a connection broke or a membership is gone. So each
process numbers the messages that it sends to a group. Numbers run within a burst. A burst ends when nothing was sent
for some seconds, and is then forgotten. A missing number shows when a later one of its burst arrives. If the last
numbers of a burst are missing, or all of them, an announcement of its last number shows it. Announcements are sent a
few times in the two seconds after the last message, through a group of their own, about groups that had messages.
"""

import asyncio
import os
from collections.abc import Callable
from contextvars import Context
from secrets import token_hex
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

from chanx.core._declarations.layer_addresses import addresses_of
from chanx.core._runtime.tasks import spawn_apart
from chanx.type_defs import ChannelLayer
from chanx.utils.logging import logger

__all__ = ["ANNOUNCEMENTS", "Announcement", "Announcer", "Tail", "announcer_of"]

ANNOUNCEMENTS = "chanx.announcements"
"""The group through which processes announce their last sequence numbers."""

# Seconds between two announcements, and how many follow the last message of a burst.
_INTERVAL = 0.25
_REPEATS = 6
# Seconds between two attempts while the layer fails.
_RETRY = 1.0
# Seconds without a message after which a burst ends, even if it was never announced.
_BURST_ENDS = 2.0
# Groups in one announcement.
_BATCH = 500
# How many bursts a process keeps if its event loops end before they can announce anything.
_MAX_BURSTS = 10_000


class Tail(NamedTuple):
    """The last number of a burst: its group, its name, the number, and how many seconds ago that was sent."""

    group: str
    sender: str
    number: int
    age: float


Announcement = list[Tail]


class _Burst:
    __slots__ = ("last", "number", "repeats", "sender")

    def __init__(self, sender: str) -> None:
        self.sender = sender
        self.number = 0
        self.repeats = _REPEATS
        self.last = 0.0


class Announcer:
    """Numbers what this process sends to the groups of one channel layer, and announces the last numbers."""

    def __init__(self) -> None:
        self._process = token_hex(8)
        self._begun = 0
        self._bursts: dict[str, _Burst] = {}
        self._armed: WeakSet[asyncio.AbstractEventLoop] = WeakSet()
        self._sending: set[asyncio.Task[None]] = set()
        self._listeners: set[Callable[[Announcement], None]] = set()

    def stamp(self, group: str) -> dict[str, Any]:
        """Return the keys to add to a layer message: name of the burst, number in it, seconds since the one before."""
        now = asyncio.get_running_loop().time()
        burst = self._bursts.get(group)
        if burst is None or now - burst.last > _BURST_ENDS:
            burst = self._begin(group)
        burst.number += 1
        stamp: dict[str, Any] = {"sender": burst.sender, "number": burst.number}
        if burst.number > 1:
            stamp["since"] = now - burst.last
        burst.repeats = _REPEATS
        burst.last = now
        return stamp

    def _begin(self, group: str) -> _Burst:
        if len(self._bursts) >= _MAX_BURSTS and not self._armed:
            self._bursts.clear()
        self._begun += 1
        burst = self._bursts[group] = _Burst(f"{self._process}.{self._begun}")
        return burst

    def take_back(self, group: str, stamp: dict[str, Any]) -> None:
        """Reuse the number of a message that was not sent, unless a later one has been taken."""
        burst = self._bursts.get(group)
        if burst is not None and (burst.sender, burst.number) == (stamp["sender"], stamp["number"]):
            burst.number -= 1

    # Announcing

    def listen(self, hear: Callable[[Announcement], None]) -> None:
        """Pass announcements to `hear` directly, for layers inside this process."""
        self._listeners.add(hear)

    def stop_listening(self, hear: Callable[[Announcement], None]) -> None:
        """Stop passing announcements to `hear`."""
        self._listeners.discard(hear)

    def announce_soon(self, layer: ChannelLayer, *, is_local: bool, timeout: float) -> None:
        """Start announcing from the running loop; `timeout` limits each call of the layer, in seconds."""
        loop = asyncio.get_running_loop()
        if loop not in self._armed:
            self._armed.add(loop)
            self._announce_after(_INTERVAL, layer, is_local, timeout)

    def _announce_after(
        self, delay: float, layer: ChannelLayer, is_local: bool, timeout: float
    ) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(delay, self._start, layer, is_local, timeout, context=Context())

    def _start(self, layer: ChannelLayer, is_local: bool, timeout: float) -> None:
        if is_local:
            for hear in [*self._listeners]:
                hear(self._due())
            self._go_on(_INTERVAL, layer, is_local, timeout)
            return
        task = spawn_apart(self._announce_and_go_on(layer, timeout))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _announce_and_go_on(self, layer: ChannelLayer, timeout: float) -> None:
        try:
            await self.announce(layer, timeout=timeout)
        except Exception as error:  # a layer may raise anything
            logger.debug("Cannot announce sequence numbers on %s: %r", addresses_of(layer), error)
            self._announce_after(_RETRY, layer, False, timeout)
        else:
            self._go_on(_INTERVAL, layer, False, timeout)

    def _go_on(self, delay: float, layer: ChannelLayer, is_local: bool, timeout: float) -> None:
        self._count_down()
        if self._bursts:
            self._announce_after(delay, layer, is_local, timeout)
        else:
            self._armed.discard(asyncio.get_running_loop())

    async def announce(self, layer: ChannelLayer, *, timeout: float) -> None:
        """Announce now. Raises what the layer raises, TimeoutError when it does not answer."""
        due = self._due()
        for start in range(0, len(due), _BATCH):
            tails = [[*tail] for tail in due[start : start + _BATCH]]
            message = {"type": "chanx.announcement", "tails": tails}
            async with asyncio.timeout(timeout):
                await layer.group_send(ANNOUNCEMENTS, message)

    def _due(self) -> Announcement:
        now = asyncio.get_running_loop().time()
        return [
            Tail(group, burst.sender, burst.number, now - burst.last)
            for group, burst in self._bursts.items()
            if burst.number
        ]

    def _count_down(self) -> None:
        """Forget the bursts that have been announced often enough."""
        for group, burst in [*self._bursts.items()]:
            burst.repeats -= 1
            if burst.repeats <= 0:
                del self._bursts[group]


_announcers: WeakKeyDictionary[ChannelLayer, Announcer] = WeakKeyDictionary()


def announcer_of(layer: ChannelLayer) -> Announcer:
    """Return this process's announcer for a layer."""
    announcer = _announcers.get(layer)
    if announcer is None:
        announcer = _announcers[layer] = Announcer()
    return announcer


if hasattr(os, "register_at_fork"):
    # A child process is another sender.
    os.register_at_fork(after_in_child=_announcers.clear)
