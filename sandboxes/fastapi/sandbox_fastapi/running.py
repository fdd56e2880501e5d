"""Where the running development server is: what its other programs need to find it."""

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl

__all__ = ["announced", "running_redis"]

# Beside the package and readable by its owner alone; .gitignore knows it. A server keeps its file locked; the kernel
# unlocks the file of one that was killed.
_FOLDER = Path(__file__).resolve().parents[1] / ".run"


def running_redis(port: int) -> str | None:
    """Return the Redis URL of the development server on a port, if one runs there."""
    try:
        with _file(port).open(encoding="utf-8") as file:
            return None if _is_left_behind(file) else file.read().strip() or None
    except OSError:
        return None


@contextmanager
def announced(port: int, redis_url: str) -> Generator[None]:
    """Let `running_redis()` find a server while it runs; a folder that cannot be written to is no obstacle."""
    with ExitStack() as stack:
        with suppress(OSError):
            _FOLDER.mkdir(mode=0o700, exist_ok=True)
            _forget_killed_servers()
            stack.enter_context(_written(_file(port), redis_url))
        yield


@contextmanager
def _written(path: Path, text: str) -> Generator[None]:
    """Keep a locked file; it gets its name when all of it is there."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_EX)
        file.write(text)
        file.flush()
        draft.replace(path)
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()


def _forget_killed_servers() -> None:
    for path in _FOLDER.glob("redis-*"):
        with path.open(encoding="utf-8") as file:
            left_behind = _is_left_behind(file)
        if left_behind:
            path.unlink()


def _is_left_behind(file: IO[str]) -> bool:
    """Tell whether nobody holds the file any more; on Windows, where that cannot be asked, somebody does."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _file(port: int) -> Path:
    return _FOLDER / f"redis-{port}"
