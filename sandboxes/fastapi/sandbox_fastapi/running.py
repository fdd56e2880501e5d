"""Where the running development server is: what its other programs need to find it."""

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["announced", "running_redis"]

# Beside the package and readable by its owner alone; .gitignore knows it.
_FOLDER = Path(__file__).resolve().parents[1] / ".run"


def running_redis(port: int) -> str | None:
    """Return the Redis URL of the development server on a port, if one runs there."""
    try:
        return _file(port).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


@contextmanager
def announced(port: int, redis_url: str) -> Generator[None]:
    """Let `running_redis()` find a server while it runs; a folder that cannot be written to is no obstacle."""
    file = _file(port)
    with suppress(OSError):
        _FOLDER.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:
            target.write(redis_url)
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink()


def _file(port: int) -> Path:
    return _FOLDER / f"redis-{port}"
