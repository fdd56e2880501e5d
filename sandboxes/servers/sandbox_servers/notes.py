"""What happened in this process, by test case, and what handlers of a case wait for."""

import asyncio
from collections import Counter, defaultdict

__all__ = ["count_part", "note", "notes_of", "parts_of", "release_of"]

_notes: defaultdict[str, list[str]] = defaultdict(list)
_parts: Counter[str] = Counter()
_releases: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)


def note(case: str, text: str) -> None:
    """Write down that something happened."""
    _notes[case].append(text)


def notes_of(case: str) -> list[str]:
    """Return what happened in one case, in order."""
    return list(_notes.get(case, ()))


def count_part(case: str) -> None:
    """Count one item that a generator of a case has made."""
    _parts[case] += 1


def parts_of(case: str) -> int:
    """Return how many items the generators of a case have made."""
    return _parts[case]


def release_of(case: str) -> asyncio.Event:
    """Return what the waiting handlers of a case wait for."""
    return _releases[case]
