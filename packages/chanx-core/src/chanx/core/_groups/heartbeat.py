"""Noticing that a channel layer no longer brings what it is given."""

import asyncio
from collections.abc import Awaitable, Callable
from secrets import token_hex

from chanx.core._groups.announcer import ANNOUNCEMENTS
from chanx.core._groups.outage import Outage
from chanx.core._groups.receiving import end_receiving
from chanx.core._runtime.tasks import spawn_apart, stop_task
from chanx.type_defs import ASGIEvent, ChannelLayer
from chanx.utils.logging import logger

__all__ = ["Heartbeat", "MembershipLostError"]

_INTERVAL = 1.0
# Seconds until the channel is read again after a failure: a beat waits for that, and an outage for the beat.
_RETRY = 0.1
# Seconds by which the message through the group may come after the one past it, which was sent later.
_GRACE = 0.25


class MembershipLostError(Exception):
    """The channel layer has forgotten who the members of groups are."""


class Heartbeat:
    """Sends itself two messages through the layer every second: one through a group, then one past it.

    Some layers raise nothing while their server is away, and lose what is sent meanwhile; and a server that lost its
    memory delivers to channels but to no group. `timeout` bounds the way there and back, in seconds. The channel is
    also a member of the group of announcements, which are passed to `hear`. What was forgotten before the first beat
    does not show, so groups are joined again after it, by `join_again`.
    """

    def __init__(
        self,
        layer: ChannelLayer,
        outage: Outage,
        timeout: float,
        hear: Callable[[ASGIEvent], None],
        join_again: Callable[[], Awaitable[None]],
    ) -> None:
        self._layer = layer
        self._outage = outage
        self._timeout = timeout
        self._hear = hear
        self._join_again = join_again
        self._channel = ""
        self._groups = (f"chanx.heartbeat.{token_hex(8)}", ANNOUNCEMENTS)
        self._is_member = False
        self._sent = 0
        self._failure: Exception | None = None
        self._direct = asyncio.Event()
        self._through_group = asyncio.Event()
        self._turn = asyncio.Lock()  # who renews memberships may beat beside the regular beat
        self._listening: asyncio.Task[None] | None = None
        self._running = spawn_apart(self._run())

    async def beat(self) -> None:
        """Send both messages and wait until they have come.

        Raises what the layer raises, TimeoutError, or MembershipLostError.
        """
        async with self._turn:
            async with asyncio.timeout(self._timeout):
                await self._prepare()
                self._sent += 1
                self._failure = None
                self._direct.clear()
                self._through_group.clear()
                # That this one is forgotten alone, nothing would show.
                await self._layer.group_add(ANNOUNCEMENTS, self._channel)
                await self._layer.group_send(self._groups[0], self._message("group"))
                await self._layer.send(self._channel, self._message("direct"))
                await self._direct.wait()
            if self._failure is not None:
                raise self._failure
            try:
                async with asyncio.timeout(_GRACE):
                    await self._through_group.wait()
            except TimeoutError:
                raise MembershipLostError from None

    def _message(self, way: str) -> ASGIEvent:
        return {"type": "chanx.heartbeat", "beat": self._sent, "way": way}

    async def _prepare(self) -> None:
        if self._listening is None:
            self._channel = await self._layer.new_channel()
            self._listening = spawn_apart(self._listen())
        if not self._is_member:
            await self._join()

    async def _join(self) -> None:
        for group in self._groups:
            await self._layer.group_add(group, self._channel)
        self._is_member = True

    async def renew(self) -> None:
        """Join the groups again. Raises what the layer raises, TimeoutError when it does not answer."""
        if self._listening is not None:
            async with asyncio.timeout(self._timeout):
                await self._join()

    async def stop(self) -> None:
        """Beat no more."""
        await stop_task(self._running, within=self._timeout)

    async def end(self) -> list[tuple[str, str]]:
        """Listen no more, and return the memberships, group and channel, that are left to be ended."""
        if self._listening is None:
            return []
        await end_receiving(self._layer, self._channel, self._listening, within=self._timeout)
        return [(group, self._channel) for group in self._groups]

    async def _run(self) -> None:
        is_first = True
        while True:
            await asyncio.sleep(_INTERVAL)
            try:
                await self._beat_twice()
                if is_first:
                    await self._join_again()
                is_first = False
            except Exception as error:  # a layer may raise anything
                await self._outage.over(error)

    async def _beat_twice(self) -> None:
        # The first may meet a connection of a pool that broke long ago, or a busy event loop.
        try:
            await self.beat()
        except Exception:
            await self.beat()

    async def _listen(self) -> None:
        # One receiver for good: some layers forget a channel when its receiver is cancelled.
        while True:
            try:
                message = await self._layer.receive(self._channel)
            except Exception as error:  # a layer may raise anything
                # The layer may have lost a message of the beat with the call that failed.
                self._failure = error
                self._direct.set()
                await asyncio.sleep(_RETRY)
            else:
                self._take_safely(message)

    def _take_safely(self, message: ASGIEvent) -> None:
        try:
            self._take(message)
        except Exception:  # anybody may send to the group
            logger.warning("Announcement could not be read", exc_info=True)

    def _take(self, message: ASGIEvent) -> None:
        if message.get("type") == "chanx.announcement":
            self._hear(message)
        elif message.get("beat") == self._sent:
            arrived = self._through_group if message.get("way") == "group" else self._direct
            arrived.set()
