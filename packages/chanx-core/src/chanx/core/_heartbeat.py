"""Noticing that a channel layer no longer brings what it is given."""

import asyncio

from chanx.core._outage import Outage
from chanx.core._tasks import spawn, stopped
from chanx.type_defs import ChannelLayer

__all__ = ["Heartbeat", "abandon", "end_receiving"]

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
        self._sent = 0
        self._arrival = asyncio.Event()
        self._turn = asyncio.Lock()  # who renews memberships may beat beside the regular beat
        self._listening: asyncio.Task[None] | None = None
        self._running = spawn(self._run())

    async def beat(self) -> None:
        """Send one message and wait until it has come. Raises what the layer raises, or TimeoutError."""
        async with asyncio.timeout(self._timeout), self._turn:
            if self._listening is None:
                self._channel = await self._layer.new_channel()
                self._listening = spawn(self._listen())
            self._sent += 1
            self._arrival.clear()
            beat = {"type": "chanx.heartbeat", "beat": self._sent}
            await self._layer.send(self._channel, beat)
            await self._arrival.wait()

    async def stop(self) -> None:
        """End, and leave nothing behind."""
        await stopped(self._running, within=self._timeout)
        if self._listening is not None:
            await end_receiving(self._layer, self._channel, self._listening, within=self._timeout)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_INTERVAL)
            try:
                await self._beat_twice()
            except Exception as error:  # a layer may raise anything
                await self._outage.over(error)

    async def _beat_twice(self) -> None:
        # The first may meet a connection of a pool that broke long ago.
        try:
            await self.beat()
        except Exception:
            await self.beat()

    async def _listen(self) -> None:
        # One receiver for good: some layers forget a channel when its receiver is cancelled.
        while True:
            try:
                message = await self._layer.receive(self._channel)
            except Exception:  # a layer may raise anything; the next beat will tell
                await asyncio.sleep(_INTERVAL)
            else:
                if message.get("beat") == self._sent:
                    self._arrival.set()


async def end_receiving(
    layer: ChannelLayer, channel: str, receiving: "asyncio.Task[None]", *, within: float
) -> None:
    """End the task that receives from a channel, and what the layer keeps for the channel."""
    await stopped(receiving, within=within)
    # Queue layers on Redis forget their buffer of a channel only if they do not ask Redis at that moment.
    buffers = getattr(layer, "receive_buffer", None)
    if isinstance(buffers, dict):
        buffers.pop(channel, None)


async def abandon(layer: ChannelLayer, channel: str, *, within: float) -> None:
    """End a channel on which nobody receives: layers that keep something for it let it go with the receiver."""
    receiving = asyncio.ensure_future(layer.receive(channel))
    await asyncio.sleep(0)
    await stopped(receiving, within=within)
    if receiving.done() and not receiving.cancelled():
        receiving.exception()  # seen
