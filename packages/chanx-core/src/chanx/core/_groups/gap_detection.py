"""Detecting messages of a group that were lost, or delivered twice."""

import asyncio
from collections.abc import Callable

__all__ = ["Gaps"]

# Seconds in which a number may still arrive after later ones, or after it was announced.
_PATIENCE = 0.75
# Seconds that a message may take through the layer.
_ON_ITS_WAY = 0.25
# If a timer is late by so many seconds, the event loop was blocked: messages that have arrived are not handled yet.
_BLOCKED = 0.25
# Seconds after which a burst is forgotten, if more than so many are known. Bursts end much sooner.
_FORGET_AFTER, _KNOWN = 10.0, 64
# How many numbers of one burst are waited for at most.
_MISSING = 256


class _Burst:
    """The numbers of one burst: after `floor`, all up to `last` have arrived except those missing or lost.

    Of the numbers up to `floor`, any may have arrived.
    """

    __slots__ = ("floor", "heard", "last", "lost")

    def __init__(self, last: int, floor: int) -> None:
        self.last = last
        self.floor = floor
        self.heard = 0.0
        self.lost: set[int] = set()

    def lose(self, numbers: range) -> None:
        """Stop waiting for these numbers; one that arrives later still counts as new."""
        if len(self.lost) + len(numbers) > _MISSING:
            self.lost.clear()
            self.floor = max(self.floor, numbers.stop - 1)
        else:
            self.lost.update(numbers)


class Gaps:
    """Watches the numbers that arrive in one group; `on_loss` is called with how many were lost.

    Layers may deliver a message twice, if they repeat a call or a delivery because an answer was lost.

    A number counts the messages of one sender's burst, see `chanx.core._groups.announcer`. When a burst is first seen,
    its earlier numbers are missing only if the last of them was sent after this group got members here. Each message
    says when the one before was sent, and an announcement when the last was, so that can be decided.
    """

    __slots__ = (
        "_bursts", "_has_lost", "_loop", "_missing", "_on_loss", "_past", "_since", "_timer",
    )  # fmt: skip

    def __init__(self, on_loss: Callable[[int], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_loss = on_loss
        self.begin()
        self._bursts: dict[str, _Burst] = {}
        self._past: dict[str, _Burst] = {}
        self._missing: dict[tuple[str, int], float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._has_lost = False

    def begin(self) -> None:
        """Expect what is sent from now on: members are not told of messages that were sent before they joined."""
        self._since = self._loop.time() + _ON_ITS_WAY

    def note(self, sender: object, number: object, since: object) -> bool:
        """Note a message that has arrived, sent `since` seconds after the one before; return whether it is new.

        One without a number counts as new.
        """
        if not isinstance(sender, str) or not isinstance(number, int):
            return True
        now = self._loop.time()
        burst = self._bursts.get(sender)
        if burst is None:
            past = self._past.get(sender)
            if past is not None and number <= past.last:
                return self._is_new(sender, past, number)
            is_due = isinstance(since, float) and now - since > self._since
            burst = self._begin(sender, number - 1, is_due=is_due)
        burst.heard = now
        if number == burst.last + 1:
            burst.last = number
        elif number > burst.last:
            self._miss(sender, range(burst.last + 1, number))
            burst.last = number
        else:
            return self._is_new(sender, burst, number)
        return True

    def _is_new(self, sender: str, burst: _Burst, number: int) -> bool:
        """Return whether a number that arrives after later ones is new."""
        is_late = self._missing.pop((sender, number), None) is not None
        if number in burst.lost:
            burst.lost.discard(number)
            is_late = True
        return is_late or number <= burst.floor

    def hear(self, sender: str, number: int, age: float) -> None:
        """Note an announced number of a burst, sent `age` seconds ago."""
        now = self._loop.time()
        burst = self._bursts.get(sender)
        if burst is None:
            burst = self._begin(sender, number, is_due=now - age > self._since)
        burst.heard = now
        if number > burst.last:
            self._miss(sender, range(burst.last + 1, number + 1))
            burst.last = number

    def _begin(self, sender: str, number: int, *, is_due: bool) -> _Burst:
        """Watch a burst from this number on, which is missing if it is due; earlier ones are not waited for."""
        if len(self._bursts) >= _KNOWN:
            past = self._loop.time() - _FORGET_AFTER
            self._bursts = {
                name: burst for name, burst in self._bursts.items() if burst.heard > past
            }
        burst = self._past.pop(sender, None)
        if burst is None:
            burst = _Burst(number, floor=number - is_due)
        elif number > burst.last:
            burst.lose(range(burst.last + 1, number + 1 - is_due))
            burst.last = number
        else:
            is_due = False
        self._bursts[sender] = burst
        if is_due:
            self._miss(sender, range(number, number + 1))
        return burst

    def _miss(self, sender: str, numbers: range) -> None:
        due = self._loop.time() + _PATIENCE
        self._missing.update({(sender, number): due for number in numbers[-_MISSING:]})
        if len(numbers) > _MISSING:
            self._bursts[sender].lose(numbers[:-_MISSING])
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._check, due)

    def _check(self, due: float) -> None:
        self._timer = None
        now = self._loop.time()
        if now - due > _BLOCKED:
            self._check_at(now + _PATIENCE)
            return
        lost = [key for key, at in self._missing.items() if at <= now]
        self._lose(lost)
        if self._missing:
            self._check_at(min(self._missing.values()))
        if lost:
            self._has_lost = True
            self._on_loss(len(lost))

    def _lose(self, keys: list[tuple[str, int]]) -> None:
        for key in keys:
            del self._missing[key]
            sender, number = key
            if sender in self._bursts:
                self._bursts[sender].lose(range(number, number + 1))

    @property
    def has_losses(self) -> bool:
        """True while something is lost or missing that the members have not been notified about."""
        return self._has_lost or bool(self._missing)

    def _check_at(self, due: float) -> None:
        self._timer = self._loop.call_at(due, self._check, due)

    def give_up(self) -> int:
        """Stop waiting for what is missing now, and return how many numbers that are."""
        lost = len(self._missing)
        self._lose([*self._missing])
        self._has_lost = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return lost

    def forget(self) -> None:
        """Start again with nothing missing; numbers that have arrived are still known, to detect duplicates."""
        self.give_up()
        past = {**self._past, **self._bursts}
        self._past = dict([*past.items()][-_KNOWN:])
        self._bursts = {}
        self._since = self._loop.time()
