"""Markers: messages that a process sends to itself through a channel layer, to know that earlier ones have arrived."""

import asyncio
from collections.abc import Iterable
from itertools import count

from chanx.type_defs import ASGIEvent, ChannelLayer

__all__ = ["Markers"]

_TYPE = "chanx.marker"


class Markers:
    """Markers that are on their way to channels of one process.

    A layer keeps the order of a channel, so a marker arrives after everything that was sent there before it.
    """

    def __init__(self, layer: ChannelLayer) -> None:
        self._layer = layer
        self._numbers = count(1)
        self._awaited: dict[int, tuple[str, asyncio.Event]] = {}

    async def follow(self, channels: Iterable[str]) -> None:
        """Send a marker to each channel and wait until all have arrived.

        Raises what the layer raises, in an exception group.
        """
        async with asyncio.TaskGroup() as sending:
            for channel in channels:
                sending.create_task(self._send(channel))

    async def _send(self, channel: str) -> None:
        number, arrived = next(self._numbers), asyncio.Event()
        self._awaited[number] = channel, arrived
        try:
            await self._layer.send(channel, {"type": _TYPE, "number": number})
            await arrived.wait()
        finally:
            del self._awaited[number]

    def take(self, message: ASGIEvent) -> bool:
        """Return whether a message is a marker; if so, note that it has arrived."""
        if message.get("type") != _TYPE:
            return False
        _, arrived = self._awaited.get(message["number"], ("", None))
        if arrived is not None:
            arrived.set()
        return True

    def give_up(self, channel: str) -> None:
        """Stop waiting for markers to a channel that is no longer received from."""
        for name, arrived in self._awaited.values():
            if name == channel:
                arrived.set()
