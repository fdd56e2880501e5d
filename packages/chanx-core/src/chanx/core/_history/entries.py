"""Entries of a history, and where a reader is in it."""

import re
from typing import NamedTuple

from chanx.type_defs import ASGIEvent, JSONObject
from chanx.utils.logging import logger

__all__ = ["ENTRY", "Entry", "HistoryLostError", "Position", "entry_in", "follows", "parse_cursor"]

_CURSOR = re.compile(r"([0-9a-z]{1,32})\.([0-9]{1,15})\.([0-9a-z]{0,32})").fullmatch


ENTRY = "entry"
"""The key of a message of the channel layer that brings an entry: its place in the history."""


class HistoryLostError(Exception):
    """The history cannot prove that nothing is missing after a position."""


class Position(NamedTuple):
    """A place in a history: after the entry with this offset and token.

    `epoch` names the history itself: one that was lost begins again with another. At offset 0 there is no entry yet,
    and the token is empty.
    """

    epoch: str
    offset: int
    token: str

    @property
    def cursor(self) -> str:
        """The position as clients keep it. It has no character that an HTTP header or an event stream escapes."""
        return f"{self.epoch}.{self.offset}.{self.token}"


class Entry(NamedTuple):
    """One event. `previous` is the token of the entry before: it proves that none is missing between them.

    An offset proves nothing: a store that fails over to a replica may lose its newest entries and give their offsets
    to others.
    """

    epoch: str
    offset: int
    token: str
    previous: str
    event: JSONObject

    @property
    def position(self) -> Position:
        """The position after the entry."""
        return Position(self.epoch, self.offset, self.token)

    @property
    def before(self) -> Position:
        """The position before the entry."""
        return Position(self.epoch, self.offset - 1, self.previous)


def follows(entry: Entry, position: Position) -> bool:
    """Tell whether nothing is missing between a position and an entry."""
    return entry.before == position


def parse_cursor(cursor: object) -> Position | None:
    """Return the position of a cursor; None for anything that is no cursor."""
    found = _CURSOR(cursor) if isinstance(cursor, str) else None
    if found is None:
        return None
    return Position(found[1], int(found[2]), found[3])


def entry_in(message: ASGIEvent) -> Entry | None:
    """Return the entry that a message of the channel layer brings, if it brings one."""
    place = message.get(ENTRY)
    if place is None:
        return None
    try:
        epoch, offset, token, previous = place
        return Entry(str(epoch), int(offset), str(token), str(previous), event_in(message))
    except (TypeError, ValueError):
        logger.warning("An entry of a history could not be read: %.200r", place)
        return None


def event_in(message: ASGIEvent) -> JSONObject:
    """Return what a history keeps of a message of the channel layer."""
    return {key: message[key] for key in ("event_data", "from_channel") if key in message}
