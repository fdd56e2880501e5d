"""Starting and ending tasks."""

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import Context
from math import inf
from typing import Any

from chanx.utils.logging import logger

__all__ = [
    "cancel_tasks",
    "forget_closed_loops",
    "let_start",
    "spawn",
    "spawn_apart",
    "stop_task",
    "take_back_cancellation",
    "uninterrupted",
]

if sys.version_info >= (3, 12):
    # Looked up once: a task is spawned for each message.
    _Task, _get_loop = asyncio.Task, asyncio.get_running_loop

    def spawn(
        coroutine: Coroutine[Any, Any, None], *, context: Context | None = None
    ) -> "asyncio.Task[None]":
        """Run the coroutine as a task that starts at once: one that never suspends costs little.

        It runs in `context`, or in a copy of the current one.
        """
        return _Task(coroutine, loop=_get_loop(), context=context, eager_start=True)

    async def let_start(task: "asyncio.Task[None]") -> None:
        """Wait until a task just spawned has come to its first suspension."""

    async def stop_task(task: "asyncio.Future[Any]", *, within: float | None = None) -> None:
        """Cancel a task and wait until it has ended in any way, for at most `within` seconds."""
        task.cancel()
        if not task.done():
            await asyncio.wait([task], timeout=within)

else:
    # Seconds after which a task that still runs is cancelled again.
    _AGAIN = 0.5

    def spawn(
        coroutine: Coroutine[Any, Any, None], *, context: Context | None = None
    ) -> "asyncio.Task[None]":
        """Run the coroutine as a task, in `context` or in a copy of the current one."""
        return asyncio.get_running_loop().create_task(coroutine, context=context)

    async def let_start(task: "asyncio.Task[None]") -> None:
        """Wait until a task just spawned has come to its first suspension."""
        await asyncio.sleep(0)

    async def stop_task(task: "asyncio.Future[Any]", *, within: float | None = None) -> None:
        """Cancel a task and wait until it has ended in any way, for at most `within` seconds.

        `asyncio.wait_for()`, which Redis clients use, swallows a cancellation that arrives as it succeeds. The next
        cancellation ends the task.
        """
        loop = asyncio.get_running_loop()
        end = inf if within is None else loop.time() + within
        while not task.done() and loop.time() < end:
            task.cancel()
            await asyncio.wait([task], timeout=min(_AGAIN, end - loop.time()))


def spawn_apart(coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """Spawn a task that works for many connections: in an empty context, instead of that of the first connection."""
    return spawn(coroutine, context=Context())


async def cancel_tasks(*tasks: "asyncio.Task[None] | None", within: float) -> None:
    """Cancel tasks and wait until they have ended, for at most `within` seconds.

    The calling task is left out. A task that ignores its cancellation is logged and left running.
    """
    current = asyncio.current_task()
    running = {
        task for task in tasks if task is not None and not task.done() and task is not current
    }
    if not running:
        return
    for task in running:
        task.cancel()
    ended, ignoring = await asyncio.wait(running, timeout=within)
    for task in ended:
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A task of the connection failed", exc_info=error)
    for task in ignoring:
        logger.error("A handler ignores its cancellation and is left running: %r", task)


async def take_back_cancellation() -> None:
    """Clear the cancellation of a task that its own code has cancelled."""
    task = asyncio.current_task()
    while task is not None and task.uncancel() > 0:
        pass
    # Before Python 3.13 a cancellation that is not delivered yet outlives `uncancel()`.
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)


async def uninterrupted(ending: Coroutine[Any, Any, None], *, context: Context) -> None:
    """Run `ending` to its end even if the waiting task is cancelled; raise the cancellation afterwards.

    A second cancellation ends the waiting, while `ending` continues.
    """
    task = spawn(ending, context=context)
    if not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise
    task.result()


# Any: whatever is kept for each event loop and a second part of the key.
def forget_closed_loops(kept: dict[tuple[asyncio.AbstractEventLoop, Any], Any]) -> None:
    """Remove what is kept for event loops that are closed."""
    for key in [*kept]:
        if key[0].is_closed():
            del kept[key]
