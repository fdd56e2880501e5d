"""What a process says about itself, for tests that run outside of it."""

import asyncio
import gc
import os
import sys
from collections import Counter
from pathlib import Path
from types import AsyncGeneratorType
from typing import Any

from chanx.core.health import snapshot
from sandbox_servers.notes import notes_of, parts_of, release_of

__all__ = ["report"]

_PAGE = 4096
_PROCESS = Path("/proc/self")


def report(case: str, *, release: bool = False, mark: str = "") -> dict[str, Any]:
    """Return the state of this process, and the notes of one case, whose waiting handlers may go on.

    `mark` is written behind everything that was logged until now.
    """
    if release:
        release_of(case).set()
    if mark:
        sys.stderr.write(f"{mark}\n")
    now = snapshot()
    generators = 0
    if case == "" and not now.connections:
        # The memory is looked at. Not before: it takes longer than a turn of the event loop, and tests ask repeatedly.
        generators = _generators()
        gc.collect()
    return {
        "pid": os.getpid(),
        "connections": now.connections,
        "tasks": _tasks(),
        "generators": generators,
        "rss": _resident_bytes(),
        "files": len(list((_PROCESS / "fd").iterdir())) if _PROCESS.exists() else 0,
        "layer_messages": now.layer_messages,
        "encodings": now.encodings,
        "notes": notes_of(case),
        "parts": parts_of(case),
    }


def _tasks() -> dict[str, int]:
    """Count the tasks of the event loop by what they run."""
    names = (getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())
    return dict(Counter(names))


def _generators() -> int:
    """Count the async generators of handlers that are not closed."""
    # Any: what the collector knows can be anything.
    made: list[Any] = [kept for kept in gc.get_objects() if isinstance(kept, AsyncGeneratorType)]
    return sum(
        generator.ag_frame is not None and generator.__name__ == "count" for generator in made
    )


def _resident_bytes() -> int:
    if not _PROCESS.exists():
        return 0
    return int((_PROCESS / "statm").read_text().split()[1]) * _PAGE
