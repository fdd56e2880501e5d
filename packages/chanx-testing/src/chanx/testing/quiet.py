"""Waiting until connections have nothing to do, without waiting for time to pass."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from chanx.core.probe import probed_layers, received_from_layers
from chanx.testing.channel_layer import FaultyChannelLayer

__all__ = ["is_in_sight", "until", "until_silent"]

# A message of an in-memory layer is on its way for a turn or two of the event loop, in nobody's sight.
_SETTLED = 6
# How often a process looks, and receives nothing, before nothing can be on its way.
_LOOKS = 2
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


async def until_silent(
    found: Callable[[], bool], timeout: float, *, quiet: Callable[[], bool]
) -> bool:
    """Wait until `found`, or until it is `quiet` and no channel layer has anything for this process.

    False when the time is over first.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    seen, looks = -1, 0
    while await until(found, deadline - loop.time(), quiet=quiet):
        received = received_from_layers()
        looks = looks + 1 if received == seen else 0
        # What was received before the first look may have made a connection send more during it.
        if looks == _LOOKS or found():
            return True
        seen = received
        if not await _catch_up(deadline):
            seen = -1
            await asyncio.sleep(_PAUSE)
    return False


async def _catch_up(deadline: float) -> bool:
    """Receive what layers have for this process; False when one of them fails or the time is over."""
    layers = [item for item in probed_layers() if not is_in_sight(item.layer, item.traits.is_local)]
    # Connections notice by themselves that a layer fails.
    with suppress(Exception):
        async with asyncio.timeout_at(deadline), asyncio.TaskGroup() as receiving:
            for item in layers:
                receiving.create_task(item.catch_up())
        return True
    return False


# Any: the layers of every library.
def is_in_sight(layer: Any, is_local: bool) -> bool:
    """Tell whether what a layer carries is known to have arrived once every connection is idle."""
    return is_local or isinstance(layer, FaultyChannelLayer)
