"""What a test has collected, and why it stopped."""

from collections.abc import Iterable
from typing import Literal

from chanx.messages.base import BaseMessage

__all__ = ["CollectedMessages", "Ending"]

Ending = Literal["complete", "closed", "idle", "timeout"]


class CollectedMessages(list[BaseMessage]):
    """Messages, and in `ended_by` why there are no more of them.

    `complete`: the stop action came. `closed`: the connection or the application ended. `idle`: the stop action could
    not come any more, because nothing was running anywhere. `timeout`: the time was over.
    """

    def __init__(self, messages: Iterable[BaseMessage], ended_by: Ending) -> None:
        super().__init__(messages)
        self.ended_by: Ending = ended_by

    @property
    def is_complete(self) -> bool:
        """True when the stop action came."""
        return self.ended_by == "complete"
