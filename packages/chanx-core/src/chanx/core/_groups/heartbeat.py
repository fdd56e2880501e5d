"""Detecting that a channel layer no longer delivers."""

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
# Seconds until the channel is read again after a failure. A beat waits for that, and the end of an outage for the beat.
_RETRY = 0.1
# Seconds by which the message through the group may arrive after the direct one, which was sent later.
_GRACE = 0.25


class MembershipLostError(Exception):
    """The channel layer has forgotten the members of groups."""


class Heartbeat:
    """Sends itself two messages through the layer every second: one to a group, then one directly to its channel.

    Some layers raise nothing while their server is down, and lose what is sent meanwhile. A server that lost its
    memory delivers to channels but not to groups. `timeout` limits a round trip, in seconds. The channel is also a
    member of the group of announcements, which are passed to `hear`. A membership lost before the first beat cannot be
    detected, so `join_again` joins every group again after it.
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
        self._turn = asyncio.Lock()  # a renewal of memberships beats too
        self._listening: asyncio.Task[None] | None = None
        self._running = spawn_apart(self._run())

    async def beat(self) -> None:
        """Send both messages and wait until they have arrived.

        Raises what the layer raises, TimeoutError, or MembershipLostError.
        """
        async with self._turn:
            async with asyncio.timeout(self._timeout):
                await self._prepare()
                self._sent += 1
                self._failure = None
                self._direct.clear()
                self._through_group.clear()
                # If only this membership were lost, nothing would detect it.
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
        """Stop the regular beat."""
        await stop_task(self._running, within=self._timeout)

    async def end(self) -> list[tuple[str, str]]:
        """Stop listening, and return the memberships, group and channel, that the caller has to end."""
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
        # The first may fail because of an old broken connection in a pool, or a busy event loop.
        try:
            await self.beat()
        except Exception:
            await self.beat()

    async def _listen(self) -> None:
        # One receiver for the whole time: some layers forget a channel when its receiver is cancelled.
        while True:
            try:
                message = await self._layer.receive(self._channel)
            except Exception as error:  # a layer may raise anything
                # The call that failed may have lost a message of the beat.
                self._failure = error
                self._direct.set()
                await asyncio.sleep(_RETRY)
            else:
                self._take_safely(message)

    def _take_safely(self, message: ASGIEvent) -> None:
        try:
            self._take(message)
        except Exception:  # any process may send to the group
            logger.warning("Announcement could not be read", exc_info=True)

    def _take(self, message: ASGIEvent) -> None:
        if message.get("type") == "chanx.announcement":
            self._hear(message)
        elif message.get("beat") == self._sent:
            arrived = self._through_group if message.get("way") == "group" else self._direct
            arrived.set()
