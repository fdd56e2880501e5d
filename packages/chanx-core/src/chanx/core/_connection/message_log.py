"""The log of the messages of one connection."""

from collections.abc import Callable, Collection
from logging import INFO
from typing import Any, Protocol

from chanx.core._telemetry.log_context import current
from chanx.utils.logging import logger

__all__ = ["MessageLog"]

# What the logger has found out about its levels; the standard library empties it when a level changes. Calling
# `isEnabledFor()` twice for each message costs more than the rest of this module. Without such a dictionary, nothing is
# known, and the logger is asked.
_known_levels: Callable[[int], bool | None] = getattr(logger, "_cache", {}).get


class LoggingConsumer(Protocol):
    """A consumer, as far as its log goes."""

    @property
    def all_log_ignored_actions(self) -> Collection[str]:
        """The actions whose messages are not logged."""
        ...


class MessageLog:
    """Writes a record for each message received and sent, except for the ignored actions.

    What the task that handles a message logs carries its `message_id`, which is the connection's id and a number, and
    its `action`.
    """

    __slots__ = ("_connection", "_consumer", "_ignored", "_received")

    def __init__(self, consumer: LoggingConsumer) -> None:
        self._consumer = consumer
        self._ignored: Collection[str] | None = None
        self._connection, _, _ = current.get()
        self._received = 0

    def received(self, action: Any) -> None:
        """Log a received message and name it in whatever the current task logs from now on."""
        self._received += 1
        current.set((self._connection, self._received, action))
        if _known_levels(INFO) is not False and action not in self._all_ignored():
            logger.info("Websocket received")

    def sent(self, action: Any) -> None:
        """Log a sent message; its action may be any JSON value, or unknown."""
        if _known_levels(INFO) is not False and not (
            isinstance(action, str) and action in self._all_ignored()
        ):
            logger.info("Websocket sent", extra={"sent_action": action})

    def _all_ignored(self) -> Collection[str]:
        # Once for a connection: the consumer builds the set anew each time.
        if self._ignored is None:
            self._ignored = self._consumer.all_log_ignored_actions
        return self._ignored
