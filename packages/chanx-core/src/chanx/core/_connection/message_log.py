"""The log of the messages of one connection."""

from collections.abc import Callable, Collection
from logging import INFO
from typing import Any

from chanx.core._telemetry.log_context import current
from chanx.utils.logging import logger

__all__ = ["MessageLog"]


class MessageLog:
    """Writes a record for each message received and sent, except for the ignored actions.

    What the task that handles a message logs carries its `message_id`, which is the connection's id and a number, and
    its `action`.
    """

    __slots__ = ("_connection", "_find_ignored", "_ignored", "_received")

    def __init__(self, ignored: Callable[[], Collection[str]]) -> None:
        self._find_ignored = ignored
        self._ignored: Collection[str] | None = None
        self._connection, _, _ = current.get()
        self._received = 0

    def received(self, action: Any) -> None:
        """Log a received message and name it in whatever the current task logs from now on."""
        self._received += 1
        current.set((self._connection, self._received, action))
        if logger.isEnabledFor(INFO) and action not in self._all_ignored():
            logger.info("Websocket received")

    def sent(self, action: Any) -> None:
        """Log a sent message; its action may be any JSON value, or unknown."""
        if logger.isEnabledFor(INFO) and not (
            isinstance(action, str) and action in self._all_ignored()
        ):
            logger.info("Websocket sent", extra={"sent_action": action})

    def _all_ignored(self) -> Collection[str]:
        # Once for a connection: the consumer builds the set anew each time.
        if self._ignored is None:
            self._ignored = self._find_ignored()
        return self._ignored
