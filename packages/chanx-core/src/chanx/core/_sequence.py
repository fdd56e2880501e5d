"""Numbers on the messages of groups, by which receivers see that one is missing.

Layers drop a group's message silently where a channel is full or a connection broke. Each process numbers what it sends
to a group; a number that does not come within a second is a message that was lost.
"""

import asyncio
import os
from collections.abc import Callable
from secrets import token_hex
from typing import Any

__all__ = ["Gaps", "Sequence", "sequence"]

# A process that has sent to so many groups begins anew, under another name.
_GROUPS = 10_000
# Senders that a receiver remembers for each group, and numbers for which it waits.
_SENDERS = 64
_MISSING = 256
# Seconds in which a number may still come behind later ones.
_PATIENCE = 1.0


class Sequence:
    """Numbers what this process sends to each group."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._sender = token_hex(8)
        self._numbers: dict[str, int] = {}

    def stamp(self, group: str) -> dict[str, Any]:
        """Return the keys that a layer message to the group carries."""
        if len(self._numbers) >= _GROUPS or os.getpid() != self._process:
            self._begin()
        number = self._numbers[group] = self._numbers.get(group, 0) + 1
        return {"sender": self._sender, "number": number}

    def take_back(self, group: str, stamp: dict[str, Any]) -> None:
        """Give the number of a message that was not sent to the next one, unless there is a next one already."""
        if stamp["sender"] == self._sender and self._numbers.get(group) == stamp["number"]:
            self._numbers[group] -= 1


sequence = Sequence()


class Gaps:
    """Watches the numbers that arrive in one group; `on_loss` is called with how many have not come."""

    __slots__ = ("_last", "_loop", "_missing", "_on_loss", "_timer")

    def __init__(self, on_loss: Callable[[int], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_loss = on_loss
        self._last: dict[str, int] = {}
        self._missing: dict[tuple[str, int], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def note(self, sender: object, number: object) -> None:
        """Note a message that has come; one without a number says nothing."""
        if not isinstance(sender, str) or not isinstance(number, int):
            return
        last = self._last.get(sender)
        if last is None:
            if len(self._last) >= _SENDERS:
                del self._last[next(iter(self._last))]
        elif number <= last:
            self._missing.pop((sender, number), None)
            return
        elif number > last + 1:
            self._miss(sender, range(max(last + 1, number - _MISSING), number))
        self._last[sender] = number

    def _miss(self, sender: str, numbers: range) -> None:
        due = self._loop.time() + _PATIENCE
        self._missing.update({(sender, number): due for number in numbers})
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._check)

    def _check(self) -> None:
        self._timer = None
        now = self._loop.time()
        lost = [key for key, due in self._missing.items() if due <= now]
        for key in lost:
            del self._missing[key]
        if self._missing:
            self._timer = self._loop.call_at(min(self._missing.values()), self._check)
        if lost:
            self._on_loss(len(lost))

    def forget(self) -> None:
        """Begin anew: what has come is past, and nothing is missing."""
        self._last = {}
        self._missing = {}
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
