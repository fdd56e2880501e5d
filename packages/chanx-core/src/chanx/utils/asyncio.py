"""Tasks in the background that nobody awaits.

They belong to no connection: they are neither cancelled at its end nor waited for by `drain()`.
"""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

from chanx.utils.logging import logger

__all__ = ["create_task", "global_background_tasks", "wrap_task"]

T = TypeVar("T")

global_background_tasks: set[asyncio.Task[Any]] = set()
"""Tasks that run, unless they were created with a set of the caller. The event loop itself keeps no task alive."""


async def wrap_task(coro: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine, and log what it raises before that is raised again."""
    try:
        return await coro
    except Exception:
        logger.exception("Background task failed")
        raise


def create_task(
    coro: Coroutine[Any, Any, T],
    background_tasks: set[asyncio.Task[Any]] | None = None,
    name: str | None = None,
    context: Context | None = None,
) -> asyncio.Task[T]:
    """Start a task that stays alive until it is done, and whose exception is logged.

    Parameters beyond the coroutine: the set that holds the task while it runs, and those of `asyncio.create_task()`.
    """
    tasks = global_background_tasks if background_tasks is None else background_tasks
    task = asyncio.create_task(wrap_task(coro), name=name, context=context)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    task.add_done_callback(_retrieve)
    return task


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Keep asyncio from logging the exception again."""
    if not task.cancelled():
        task.exception()
