"""Keys of a document: legal, unique, and the same on every run."""

import re

__all__ = ["UniqueNames", "legal_name"]

_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")


def legal_name(text: str) -> str:
    """Return text with what keys may not hold replaced: `/ws/{room}` -> `ws_room`."""
    return _ILLEGAL.sub("_", text).strip("_") or "unnamed"


class UniqueNames:
    """Names that were given out; whoever comes first gets the plain one."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, *candidates: str) -> str:
        """Return the first candidate that is free, or the last one with a number."""
        names = [legal_name(candidate) for candidate in candidates]
        free = next((name for name in names if name not in self._taken), None)
        name = free or self._numbered(names[-1])
        self._taken.add(name)
        return name

    def _numbered(self, name: str) -> str:
        number = 2
        while f"{name}_{number}" in self._taken:
            number += 1
        return f"{name}_{number}"
