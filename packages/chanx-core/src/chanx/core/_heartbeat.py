"""Noticing that a channel layer no longer brings what it is given."""

import asyncio

from chanx.core._outage import Outage
from chanx.core._tasks import spawn, stopped
from chanx.type_defs import ChannelLayer

__all__ = ["Heartbeat", "abandon"]

_INTERVAL = 1.0


class Heartbeat:
    """Sends itself a message through the layer every second.

    Some layers raise nothing while their server is away, and lose what is sent meanwhile. `timeout` bounds the way
    there and back, in seconds.
    """

    def __init__(self, layer: ChannelLayer, outage: Outage, timeout: float) -> None:
        self._layer = layer
        self._outage = outage
        self._timeout = timeout
        self._channel = ""
        self._beats = 0
        self._running = spawn(self._run())

    async def beat(self) -> None:
        """Send one message and wait until it has come. Raises what the layer raises, or TimeoutError."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._beat()
        except BaseException:
            # Who knows what became of the channel.
            await self._leave_channel()
            raise

    async def _beat(self) -> None:
        if not self._channel:
            self._channel = await self._layer.new_channel()
        self._beats += 1
        await self._layer.send(self._channel, {"type": "chanx.heartbeat", "beat": self._beats})
        while (await self._layer.receive(self._channel)).get("beat") != self._beats:
            pass

    async def stop(self) -> None:
        """End, and leave nothing behind."""
        await stopped(self._running)
        await self._leave_channel()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_INTERVAL)
            try:
                await self.beat()
            except Exception as error:  # a layer may raise anything
                await self._outage.over(error)

    async def _leave_channel(self) -> None:
        channel, self._channel = self._channel, ""
        if channel:
            await abandon(self._layer, channel, within=self._timeout)


async def abandon(layer: ChannelLayer, channel: str, *, within: float) -> None:
    """End a channel on which nobody receives: layers that keep something for it let it go with the receiver."""
    receiving = asyncio.ensure_future(layer.receive(channel))
    await asyncio.sleep(0)
    await stopped(receiving, within=within)
    if receiving.done() and not receiving.cancelled():
        receiving.exception()  # seen
