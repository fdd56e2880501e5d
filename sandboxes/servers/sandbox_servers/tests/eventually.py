"""Waiting for what is seen from outside only."""

import asyncio
from collections.abc import Callable

__all__ = ["eventually"]


async def eventually(condition: Callable[[], bool], within: float) -> None:
    """Look again and again until the condition holds, for so many seconds; looking takes a round trip."""
    async with asyncio.timeout(within):
        while not await asyncio.to_thread(condition):
            pass
