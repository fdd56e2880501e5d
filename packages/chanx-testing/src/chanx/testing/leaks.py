"""Proof that a test left nothing behind."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from chanx.core import _guard as _guard
from chanx.core import open_connections

__all__ = ["no_leaks"]


@asynccontextmanager
async def no_leaks(layer: Any = None) -> AsyncGenerator[None]:
    """Fail if the body leaves a task, an open connection, or a member in a group of an in-memory layer.

    Anything that is already on its way out gets a second.
    """
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=1)
    assert not left, f"Tasks left behind: {left}"
    assert open_connections() == 0, f"{open_connections()} connections left open"
    members = {
        group: list(channels)
        for group, channels in getattr(layer, "groups", {}).items()
        if channels
    }
    assert not members, f"Group members left behind: {members}"
