"""Proof that a test left nothing behind."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from chanx.core import open_connections

__all__ = ["no_leaks"]

# Seconds for what is already on its way out.
_PATIENCE = 1.0


# Any: the layers of every library.
@asynccontextmanager
async def no_leaks(
    *layers: Any, more_layers: Callable[[], Iterable[Any]] = tuple
) -> AsyncGenerator[None]:
    """Fail if the body leaves a task, an open connection, or a member in a group of an in-memory layer.

    Anything that is already on its way out gets a second. `more_layers` is asked at the end, for layers that only the
    body knows.
    """
    before = asyncio.all_tasks()
    open_before = open_connections()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=_PATIENCE)
    assert not left, f"Tasks left behind: {left}"
    still_open = open_connections() - open_before
    assert still_open <= 0, f"{still_open} connections left open"
    for layer in (*layers, *more_layers()):
        members = _members(layer)
        assert not members, f"Group members left behind: {members}"


def _members(layer: Any) -> dict[str, list[str]]:
    groups: dict[str, Iterable[str]] = getattr(layer, "groups", {})
    return {group: list(channels) for group, channels in groups.items() if channels}
