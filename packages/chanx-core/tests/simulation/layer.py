"""A channel layer on an unreliable server."""

import asyncio
from collections import defaultdict
from random import Random
from typing import Any

from chanx.type_defs import JSONObject

__all__ = ["FreeStormLayer", "StormLayer"]


class StormLayer:
    """Loses, delays and reorders messages, forgets memberships, and is away now and then, until the weather is fine.

    A call that fails may have had its effect, as one whose answer is lost on the way.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.is_fine = False
        self.is_down = False
        self.groups: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.queues: defaultdict[str, asyncio.Queue[JSONObject | None]] = defaultdict(asyncio.Queue)
        self.receivers = 0
        self.on_its_way = 0
        self._channels = 0

    # The weather

    def interrupt(self) -> None:
        """Break the connections of everybody who receives."""
        for queue in self.queues.values():
            queue.put_nowait(None)

    def forget(self) -> None:
        """Lose everything that the server keeps."""
        self.groups.clear()
        for queue in self.queues.values():
            while not queue.empty():
                queue.get_nowait()

    def evict(self) -> None:
        """Lose the members of one group."""
        if self.groups:
            self.groups.pop(self.random.choice([*self.groups]))

    async def _way(self) -> None:
        """Take the way to the server or back."""
        if self.is_down:
            raise ConnectionError("down")
        if self.random.random() < 0.3:
            await asyncio.sleep(self.random.choice((0, 0, 0, 0.001, 0.02)))
        if not self.is_fine and self.random.random() < 0.03:
            raise ConnectionError("storm")

    # The channel layer

    async def new_channel(self, prefix: str = "") -> str:
        """Make up a name."""
        await self._way()
        return self._name()

    def _name(self) -> str:
        self._channels += 1
        return f"channel-{self._channels}"

    async def send(self, channel: str, message: JSONObject) -> None:
        """Send to one channel."""
        await self._way()
        self._deliver(channel, message)
        await self._way()

    def _deliver(self, channel: str, message: JSONObject) -> None:
        if not self.is_fine and self.random.random() < 0.05:
            return
        delay = self.random.choice((0, 0, 0.001, 0.1)) if not self.is_fine else 0.0
        self.on_its_way += 1
        asyncio.get_running_loop().call_later(delay, self._arrive, channel, message)

    def _arrive(self, channel: str, message: JSONObject) -> None:
        self.on_its_way -= 1
        if not self.is_down:
            self.queues[channel].put_nowait({**message})

    async def receive(self, channel: str) -> JSONObject:
        """Wait for a message, or for a failure."""
        if self.is_down:
            await asyncio.sleep(0)
            raise ConnectionError("down")
        self.receivers += 1
        try:
            message = await self.queues[channel].get()
        finally:
            self.receivers -= 1
        if message is None:
            raise ConnectionError("interrupted")
        return message

    async def group_add(self, group: str, channel: str) -> None:
        """Join, perhaps in vain, perhaps without saying so."""
        await self._way()
        self.groups[group][channel] = None
        await self._way()

    async def group_discard(self, group: str, channel: str) -> None:
        """Leave likewise."""
        await self._way()
        members = self.groups[group]
        members.pop(channel, None)
        if not members:
            del self.groups[group]
        await self._way()

    async def group_send(self, group: str, message: Any) -> None:
        """Send to every member."""
        await self._way()
        for channel in [*self.groups.get(group, ())]:
            self._deliver(channel, message)
        await self._way()


class FreeStormLayer(StormLayer):
    """The same; it makes names of channels without asking the server, as queue layers do."""

    async def new_channel(self, prefix: str = "") -> str:
        """Make up a name."""
        return self._name()
