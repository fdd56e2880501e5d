"""Starting tasks."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

__all__ = ["spawn"]

if sys.version_info >= (3, 12):

    def spawn(coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run the coroutine as a task, up to its first suspension at once: one that never suspends costs little."""
        return asyncio.Task(coroutine, loop=asyncio.get_running_loop(), eager_start=True)

else:

    def spawn(coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run the coroutine as a task."""
        return asyncio.get_running_loop().create_task(coroutine)
