"""Waiting until connections have nothing to do, without waiting for time to pass."""

import asyncio
from collections.abc import Callable

from chanx.core import _guard as _guard

__all__ = ["until"]

# A message of an in-memory layer is on its way for a turn or two of the event loop, in nobody's sight.
_SETTLED = 6
# Afterwards whatever is awaited takes real time, and looking less often leaves the processor to it.
_EAGER_TURNS = 200
_PAUSE = 0.001


async def until(
    found: Callable[[], bool], timeout: float | None, *, quiet: Callable[[], bool] | None = None
) -> bool:
    """Wait until `found`, or until `quiet` has held for a few turns of the loop; False when the time is over first."""
    loop = asyncio.get_running_loop()
    deadline = None if timeout is None else loop.time() + timeout
    turns = settled = 0
    while not found():
        settled = settled + 1 if quiet is not None and quiet() else 0
        if settled > _SETTLED:
            return True
        if deadline is not None and loop.time() >= deadline:
            return False
        turns += 1
        await asyncio.sleep(0 if settled or turns < _EAGER_TURNS else _PAUSE)
    return True
