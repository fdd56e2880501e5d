"""Starting tasks, and seeing them end."""

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from math import inf
from typing import Any

from chanx.utils.logging import logger

__all__ = ["begun", "cancelled", "spawn", "stopped", "uninterrupted"]

if sys.version_info >= (3, 12):

    def spawn(coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run the coroutine as a task, up to its first suspension at once: one that never suspends costs little."""
        return asyncio.Task(coroutine, loop=asyncio.get_running_loop(), eager_start=True)

    async def begun(task: "asyncio.Task[None]") -> None:
        """Wait until a task just spawned has come to its first suspension."""

    async def stopped(task: "asyncio.Future[Any]", *, within: float | None = None) -> None:
        """Cancel a task and wait until it has ended, however it ends, or so many seconds have passed."""
        task.cancel()
        if not task.done():
            await asyncio.wait([task], timeout=within)

else:
    # Seconds after which a task that has not ended is cancelled again.
    _AGAIN = 0.5

    def spawn(coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run the coroutine as a task."""
        return asyncio.get_running_loop().create_task(coroutine)

    async def begun(task: "asyncio.Task[None]") -> None:
        """Wait until a task just spawned has come to its first suspension."""
        await asyncio.sleep(0)

    async def stopped(task: "asyncio.Future[Any]", *, within: float | None = None) -> None:
        """Cancel a task and wait until it has ended, however it ends, or so many seconds have passed.

        `asyncio.wait_for()`, which clients of Redis use, swallows a cancellation that comes as it succeeds; the
        next one ends the task.
        """
        loop = asyncio.get_running_loop()
        end = inf if within is None else loop.time() + within
        while not task.done() and loop.time() < end:
            task.cancel()
            await asyncio.wait([task], timeout=min(_AGAIN, end - loop.time()))


async def cancelled(*tasks: "asyncio.Task[None] | None") -> None:
    """Cancel tasks and wait until they have ended. The calling task is not one that others cancel."""
    current = asyncio.current_task()
    running = [
        task for task in tasks if task is not None and not task.done() and task is not current
    ]
    for task in running:
        task.cancel()
    for task in running:
        with suppress(asyncio.CancelledError):
            try:
                await task
            except Exception:
                logger.exception("A task of the connection failed")


async def uninterrupted(ending: Coroutine[Any, Any, None]) -> None:
    """Wait for the ending even if the waiting task is cancelled, which is then passed on after it."""
    task = spawn(ending)
    if not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise
    task.result()
