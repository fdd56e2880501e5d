"""The connections that this process is serving."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chanx.core._connection import Connection

__all__ = ["connections", "open_connections", "serving"]

connections: "set[Connection]" = set()


def open_connections() -> int:
    """Return how many connections this process is serving."""
    return len(connections)


def serving() -> "list[Connection]":
    """Return the connections of this process; any thread may ask."""
    return [*connections]
