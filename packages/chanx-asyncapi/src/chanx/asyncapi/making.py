"""Making documents while the same process serves connections."""

import asyncio
import gc
import sys
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from threading import RLock
from typing import ParamSpec, TypeVar

__all__ = ["in_worker", "making"]

P = ParamSpec("P")
T = TypeVar("T")

_LOCK = RLock()
# How long another thread, such as that of the event loop, waits for the interpreter. Python's default of 5 ms counts
# once for each system call of the loop, so that a frame would wait several times as long.
_SWITCH_INTERVAL = 0.0005
# A thread of its own: requests that wait for the same document do not occupy the threads of the application.
_WORKER = ThreadPoolExecutor(1, thread_name_prefix="chanx-asyncapi")


@contextmanager
def making() -> Generator[None]:
    """Make one document at a time, and let other threads have a turn often. Nested use is allowed."""
    with _LOCK, _frequent_switches(), _no_collection():
        yield


@contextmanager
def _frequent_switches() -> Generator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _SWITCH_INTERVAL))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def _no_collection() -> Generator[None]:
    """Put off garbage collection: so many new objects start one of the whole heap, which stops all threads."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


async def in_worker(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that makes a document, in a thread, so that it does not block the event loop."""
    call = partial(copy_context().run, function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_WORKER, call)
