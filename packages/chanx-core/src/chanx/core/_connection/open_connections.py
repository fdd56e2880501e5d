"""The connections that this process is serving."""

import asyncio
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from chanx.core._ports import OpenConnection

__all__ = ["connections", "is_draining", "open_connections", "refusing_newcomers", "serving"]

connections: set[OpenConnection] = set()

# How many drains are under way on an event loop.
_draining: Counter[asyncio.AbstractEventLoop] = Counter()


def open_connections() -> int:
    """Return how many connections this process is serving."""
    return len(connections)


def serving() -> list[OpenConnection]:
    """Return the connections of this process; any thread may ask."""
    return [*connections]


def is_draining(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether new connections of an event loop are refused."""
    return loop in _draining


@contextmanager
def refusing_newcomers(loop: asyncio.AbstractEventLoop) -> Generator[None]:
    """Refuse new connections of an event loop."""
    _draining[loop] += 1
    try:
        yield
    finally:
        _draining[loop] -= 1
        if not _draining[loop]:
            del _draining[loop]
