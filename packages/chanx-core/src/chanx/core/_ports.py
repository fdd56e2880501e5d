"""What parts of the library ask of each other, so that none of them imports the other."""

import asyncio
from typing import Any, Protocol

__all__ = ["FrameSink"]


class FrameSink(Protocol):
    """Where frames for one socket go."""

    @property
    def is_idle(self) -> bool:
        """True while no frame waits or is being written."""
        ...

    async def send(self, frame: dict[str, Any]) -> None:
        """Send a frame after those that were sent before; wait while too many are waiting."""
        ...

    def adopt(self, writing: asyncio.Task[None]) -> None:
        """End a task that waits for this socket with the connection."""
        ...
