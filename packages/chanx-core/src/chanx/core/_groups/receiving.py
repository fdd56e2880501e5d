"""Ending a receiver of a channel layer, and what the layer keeps for it."""

import asyncio
from contextlib import suppress
from typing import Any, cast

from chanx.core._runtime.tasks import stop_task
from chanx.type_defs import ChannelLayer

__all__ = ["abandon", "end_receiving", "settle"]


async def end_receiving(
    layer: ChannelLayer, channel: str, receiving: "asyncio.Task[None]", *, within: float
) -> None:
    """End the task that receives from a channel, and what the layer keeps for the channel."""
    await stop_task(receiving, within=within)
    # Queue layers on Redis drop the buffer of a channel only if they are not calling Redis at that moment.
    buffers = getattr(layer, "receive_buffer", None)
    if isinstance(buffers, dict):
        cast("dict[str, Any]", buffers).pop(channel, None)


async def abandon(layer: ChannelLayer, channel: str, *, within: float) -> None:
    """End a channel without a receiver: layers release what they keep for a channel when its receiver ends."""
    receiving = asyncio.ensure_future(layer.receive(channel))
    await asyncio.sleep(0)
    await stop_task(receiving, within=within)
    if receiving.done() and not receiving.cancelled():
        receiving.exception()  # seen


# Any: what only the queue layers on Redis have.
async def settle(layer: Any, *, is_down: bool, within: float) -> None:
    """Let a queue layer on Redis acknowledge the messages it has received, for at most `within` seconds.

    It acknowledges each message in a task. If one does not finish, its message is received again. Each task holds a
    lock of the layer, and a receiver that is cancelled while it waits for that lock leaves it bound to its event loop.
    So the locks are removed for the next event loop, unless the layer is receiving again.
    """
    cleaners: list[asyncio.Future[Any]] | None = getattr(layer, "receive_cleaners", None)
    locks: Any = getattr(layer, "receive_clean_locks", None)
    if cleaners is None or locks is None:
        return
    pending = [cleaner for cleaner in cleaners if not cleaner.done()]
    if pending and not is_down:
        await asyncio.wait(pending, timeout=within)
    if getattr(layer, "receive_count", 0):
        return
    for cleaner in [*cleaners]:
        await stop_task(cleaner, within=within)
    with suppress(AttributeError):  # the layer's own, which other versions may not have
        for channel, lock in [*locks.locks.items()]:
            if not lock.locked():  # the application may receive from other channels
                del locks.locks[channel]
                locks.wait_counts.pop(channel, None)
