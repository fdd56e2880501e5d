"""What this process has counted since it started."""

from collections import Counter

__all__ = ["Counters", "counters"]


class Counters:
    """Counters of everything that is worth watching and that no single object can tell."""

    __slots__ = ("dropped", "encodings", "hints_lost", "layer_messages", "outages")

    def __init__(self) -> None:
        self.layer_messages = 0
        """Messages that hubs received from channel layers and decoded."""
        self.encodings = 0
        """Frames that hubs wrote for their members: one for all of them whose frame is the same."""
        self.hints_lost = 0
        """Events with a history that a channel layer did not take: they are delivered a moment later."""
        self.outages = 0
        """Times that a channel layer failed."""
        self.dropped: Counter[str] = Counter()
        """Messages that did not reach a connection, by reason."""


counters = Counters()
