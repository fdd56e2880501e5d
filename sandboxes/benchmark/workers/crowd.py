"""Many connections to one application, in process."""

import asyncio
import json
import time
from contextlib import suppress

from connection import Application, Connection, Event

__all__ = ["Crowd"]

PATIENCE = 30.0  # seconds for one broadcast; the slowest takes a few
ATTEMPTS = 3
QUIET = 0.1  # seconds, in which all that is under way arrives


class Listener(Connection):
    """One connection of a crowd."""

    def __init__(self, application: Application, crowd: "Crowd") -> None:
        self._crowd = crowd
        super().__init__(application)

    async def _send(self, event: Event) -> None:
        if event["type"] != "websocket.send":
            await super()._send(event)
            return
        self.replies += 1
        self.last = event.get("text") or ""
        self._crowd.arrived()


class Crowd:
    """Members of one group. The first one sends `text`, and everybody, the first one too, is told of it."""

    def __init__(self, application: Application, count: int, text: str) -> None:
        self._text = text
        self._missing = 0
        self._everywhere = asyncio.get_running_loop().create_future()
        self._listeners = [Listener(application, self) for _ in range(count)]

    def arrived(self) -> None:
        """Count a delivery."""
        self._missing -= 1
        if not self._missing and not self._everywhere.done():
            self._everywhere.set_result(None)

    async def opened(self) -> None:
        """Wait until everybody is a member. Raises RuntimeError unless each one receives a broadcast once."""
        for listener in self._listeners:
            await listener.opened()
        await self._joined()
        before = [listener.replies for listener in self._listeners]
        await self.broadcast()
        await asyncio.sleep(QUIET)
        content = json.loads(self._text)["payload"]["message_text"]
        for listener, replies in zip(self._listeners, before, strict=True):
            if listener.replies != replies + 1 or content not in listener.last:
                raise RuntimeError(f"{listener.replies - replies} deliveries, {listener.last!r}")

    async def _joined(self) -> None:
        """Some join after they have accepted: broadcast until one reaches all."""
        for _ in range(ATTEMPTS):
            with suppress(TimeoutError):
                await self.broadcast(within=PATIENCE / ATTEMPTS)
                break
        await asyncio.sleep(QUIET)

    async def broadcast(self, *, within: float = PATIENCE) -> None:
        """Broadcast once and wait until all have it. Raises TimeoutError when they do not get it."""
        self._missing = len(self._listeners)
        self._everywhere = asyncio.get_running_loop().create_future()
        self._listeners[0].put(self._text)
        async with asyncio.timeout(within):
            await self._everywhere

    async def rate(self, seconds: float) -> float:
        """Return the deliveries in a second of CPU time, with one broadcast under way at a time."""
        count = 0
        began = time.process_time()
        while time.process_time() - began < seconds:
            await self.broadcast()
            count += len(self._listeners)
        return count / (time.process_time() - began)

    async def closed(self) -> None:
        """Disconnect everybody."""
        await asyncio.gather(*(listener.closed() for listener in self._listeners))
