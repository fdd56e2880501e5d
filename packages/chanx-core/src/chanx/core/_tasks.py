"""Starting tasks."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

__all__ = ["begun", "spawn", "stopped"]

if sys.version_info >= (3, 12):

    def spawn(coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run the coroutine as a task, up to its first suspension at once: one that never suspends costs little."""
        return asyncio.Task(coroutine, loop=asyncio.get_running_loop(), eager_start=True)

    async def begun(task: "asyncio.Task[None]") -> None:
        """Wait until a task just spawned has come to its first suspension."""

else:

    def spawn(coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run the coroutine as a task."""
        return asyncio.get_running_loop().create_task(coroutine)

    async def begun(task: "asyncio.Task[None]") -> None:
        """Wait until a task just spawned has come to its first suspension."""
        await asyncio.sleep(0)


async def stopped(task: "asyncio.Future[Any]", *, within: float | None = None) -> None:
    """Cancel a task and wait until it has ended, however it ends, or so many seconds have passed."""
    task.cancel()
    if not task.done():
        await asyncio.wait([task], timeout=within)
