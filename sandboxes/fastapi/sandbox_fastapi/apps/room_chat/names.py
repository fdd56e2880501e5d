"""The names of participants."""

from uuid import uuid4

__all__ = ["MAX_NAME_LENGTH", "PARTICIPANT", "presentable"]

MAX_NAME_LENGTH = 40
# The key of the scope that holds the name of a client that introduced itself.
PARTICIPANT = "participant"


def presentable(name: str) -> str:
    """Return a printable, short name; a made-up one where nothing is left of it."""
    words = "".join(char if char.isprintable() else " " for char in name).split()
    return " ".join(words)[:MAX_NAME_LENGTH].rstrip() or f"guest-{uuid4().hex[:4]}"
