"""Noticing that messages of a group have not come."""

import asyncio
from collections.abc import Callable

__all__ = ["Gaps"]

# Seconds in which a number may still come after later ones, or after it was announced.
_PATIENCE = 0.75
# Seconds that a message may take through the layer.
_ON_ITS_WAY = 0.25
# Seconds by which a late timer shows that the event loop was blocked: what has arrived is not handled yet.
_BLOCKED = 0.25
# Seconds after which a burst is forgotten, where more than so many are known. Bursts end much sooner.
_FORGET_AFTER, _KNOWN = 10.0, 64
# Numbers of one burst that are waited for at most.
_MISSING = 256


class _Burst:
    __slots__ = ("heard", "last")

    def __init__(self, last: int) -> None:
        self.last = last
        self.heard = 0.0


class Gaps:
    """Watches the numbers that arrive in one group; `on_loss` is called with how many have not come.

    A number is that of a burst of messages of one sender, see `chanx.core._announcer`. Of a burst that is new here,
    the numbers before the first are missing only if the last of them was sent since this group has members here. That
    is enough: each message says when the one before was sent, and an announcement when the last was.
    """

    __slots__ = ("_bursts", "_has_lost", "_loop", "_missing", "_on_loss", "_since", "_timer")

    def __init__(self, on_loss: Callable[[int], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_loss = on_loss
        # Whoever joins while others speak must not be told of what was still on its way.
        self._since = self._loop.time() + _ON_ITS_WAY
        self._bursts: dict[str, _Burst] = {}
        self._missing: dict[tuple[str, int], float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._has_lost = False

    def note(self, sender: object, number: object, since: object) -> None:
        """Note a message that has come, `since` seconds after the one before; one without a number says nothing."""
        if not isinstance(sender, str) or not isinstance(number, int):
            return
        now = self._loop.time()
        burst = self._bursts.get(sender)
        if burst is None:
            burst = self._begin(sender, number - 1)
            if isinstance(since, float) and now - since > self._since:
                self._miss(sender, range(number - 1, number))
        burst.heard = now
        if number == burst.last + 1:
            burst.last = number
        elif number > burst.last:
            self._miss(sender, range(burst.last + 1, number))
            burst.last = number
        else:
            self._missing.pop((sender, number), None)

    def hear(self, sender: str, number: int, age: float) -> None:
        """Take note that a burst has got that far, `age` seconds ago."""
        now = self._loop.time()
        burst = self._bursts.get(sender)
        if burst is None:
            is_due = now - age > self._since
            burst = self._begin(sender, number - 1 if is_due else number)
        burst.heard = now
        if number > burst.last:
            self._miss(sender, range(burst.last + 1, number + 1))
            burst.last = number

    def _begin(self, sender: str, last: int) -> _Burst:
        if len(self._bursts) >= _KNOWN:
            past = self._loop.time() - _FORGET_AFTER
            self._bursts = {
                name: burst for name, burst in self._bursts.items() if burst.heard > past
            }
        burst = self._bursts[sender] = _Burst(last)
        return burst

    def _miss(self, sender: str, numbers: range) -> None:
        due = self._loop.time() + _PATIENCE
        self._missing.update({(sender, number): due for number in numbers[-_MISSING:]})
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._check, due)

    def _check(self, due: float) -> None:
        self._timer = None
        now = self._loop.time()
        if now - due > _BLOCKED:
            self._check_at(now + _PATIENCE)
            return
        lost = [key for key, at in self._missing.items() if at <= now]
        for key in lost:
            del self._missing[key]
        if self._missing:
            self._check_at(min(self._missing.values()))
        if lost:
            self._has_lost = True
            self._on_loss(len(lost))

    @property
    def has_losses(self) -> bool:
        """True while something is lost, or missing, of which the members have not been told."""
        return self._has_lost or bool(self._missing)

    def _check_at(self, due: float) -> None:
        self._timer = self._loop.call_at(due, self._check, due)

    def give_up(self) -> int:
        """Wait for nothing that is missing now, and return how many that were."""
        lost = len(self._missing)
        self._missing = {}
        self._has_lost = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return lost

    def forget(self) -> None:
        """Begin anew: what has come is past, and nothing is missing."""
        self.give_up()
        self._bursts = {}
        self._since = self._loop.time()
