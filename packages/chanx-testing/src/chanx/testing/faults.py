"""What goes wrong on a channel layer, for as long as a test wants it to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from chanx.core.exceptions import ChannelFullError

__all__ = ["ChannelFullError", "Fault", "FaultKind", "LayerDownError", "Treatment"]

FaultKind = Literal["drop", "delay", "duplicate", "full", "down"]


class LayerDownError(ConnectionError):
    """The channel layer cannot be reached."""


@dataclass(eq=False, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, until `stop()`, the end of its `with` block, or `count` times.

    `hits` counts how often it has.
    """

    kind: FaultKind
    group: str | None = None
    channel: str | None = None
    count: int | None = None
    seconds: float = 0.0
    times: int = 1
    hits: int = 0
    on_stop: Callable[["Fault"], None] = field(repr=False)

    def __enter__(self) -> Self:
        """Return the fault, which is there already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the fault."""
        self.stop()

    def stop(self) -> None:
        """End the fault."""
        self.on_stop(self)

    def concerns(self, group: str | None, channel: str | None) -> bool:
        """Tell whether a call about this group or channel meets the fault; None in the fault stands for any."""
        return self.group in (None, group) and self.channel in (None, channel)

    def hit(self) -> None:
        """Count; the last hit of a limited fault ends it."""
        self.hits += 1
        if self.hits == self.count:
            self.stop()


@dataclass(slots=True)
class Treatment:
    """What happens to one message: the sum of the faults it meets."""

    is_dropped: bool = False
    is_refused: bool = False
    copies: int = 1
    delay: float = 0.0

    def suffer(self, faults: Iterable[Fault]) -> None:
        """Add faults."""
        for fault in faults:
            fault.hit()
            match fault.kind:
                case "drop":
                    self.is_dropped = True
                case "full":
                    self.is_refused = True
                case "duplicate":
                    self.copies *= fault.times
                case "delay":
                    self.delay += fault.seconds
                case "down":
                    raise LayerDownError("The channel layer is down, as the test asked.")
