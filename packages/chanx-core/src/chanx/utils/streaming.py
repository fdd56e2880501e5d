"""Text that grows, such as the answer of a language model: from snapshots to what is new in each."""

__all__ = ["DeltaTracker"]


class DeltaTracker:
    """Compares each snapshot of a text with the one before it.

    `text` is the last snapshot.
    """

    def __init__(self, text: str = "") -> None:
        self.text: str = text

    def push(self, snapshot: str) -> str:
        """Take the next snapshot and return what is new in it.

        For sources that only append. A snapshot that changes what was there is returned as a whole; `advance()` tells
        the two apart.
        """
        return self.advance(snapshot)[0]

    def advance(self, snapshot: str) -> tuple[str, bool]:
        """Take the next snapshot; return what to send, and whether it replaces everything before it."""
        before, self.text = self.text, snapshot
        if snapshot.startswith(before):
            return snapshot[len(before) :], False
        return snapshot, True

    def reset(self) -> None:
        """Forget the text, for the next answer."""
        self.text = ""
