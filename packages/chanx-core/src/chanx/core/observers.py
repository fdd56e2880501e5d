"""Learning what happens on connections: for metrics, traces and logs of one's own."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

if TYPE_CHECKING:
    from chanx.core.websocket import ChanxWebsocketConsumerMixin
    from chanx.messages.base import BaseMessage

__all__ = ["Observer", "add_observer", "is_failure", "remove_observer"]


class Observer:
    """Override the methods that you need, and give an instance to `add_observer()`.

    They are called in the event loop of the connection and have to return soon. What they raise is logged and harms
    nobody. Read the connection's `scope`, its class and its options from `consumer`.
    """

    def on_connect(self, consumer: "ChanxWebsocketConsumerMixin[Any]") -> None:
        """Learn that a client was let in: authenticated, and a member of its groups."""

    def on_message(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: "BaseMessage"
    ) -> AbstractContextManager[object] | None:
        """Learn that a handler is about to run, for a client's message or an event.

        A context manager that is returned is entered now and left when the handler has ended and its answer is on its
        way; what goes wrong meanwhile `on_error()` is told.
        """
        return None

    def on_reply(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: "BaseMessage"
    ) -> None:
        """Learn that the consumer has sent a message to its own client: an answer, an error, a completion.

        Broadcasts are not told: that would be once for each member.
        """

    def on_error(
        self,
        consumer: "ChanxWebsocketConsumerMixin[Any]",
        error: Exception,
        message: "BaseMessage | None",
    ) -> None:
        """Learn that a message was answered by an error, or that something went wrong.

        `error` is a `ValidationError` for a frame that is no message, an application error such as `MessageError`, or
        whatever else a handler or hook raised: `is_failure()` tells them apart. `message` is what was being handled, if
        anything was.

        It is a `CancelledByClientError` where the client has cancelled its message; without `message` if that still
        waited in the queue.
        """

    def on_stream_end(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: "BaseMessage", items: int
    ) -> None:
        """Learn that the stream that answers a message has ended, and how many items it has sent.

        Called before the context manager of `on_message()` is left.
        """

    def on_credit_wait(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: "BaseMessage", seconds: float
    ) -> None:
        """Learn that a stream has waited for credit, and how long. Called when the wait is over, however it ended."""

    def on_drop(self, consumer: "ChanxWebsocketConsumerMixin[Any]", reason: str) -> None:
        """Learn that a message did not reach this client, and why: `slow_consumer` or `send_timeout`."""

    def on_close(self, consumer: "ChanxWebsocketConsumerMixin[Any]", code: int) -> None:
        """Learn that a connection has ended, after `on_connect()`. The client may have chosen the code."""


def is_failure(
    consumer: "ChanxWebsocketConsumerMixin[Any]", error: Exception, message: "BaseMessage | None"
) -> bool:
    """Tell from the arguments of `on_error()` whether the server failed.

    A frame that is no message and an application error are answers, and no failures.
    """
    if isinstance(error, ValidationError) and message is None:
        return False
    integration = consumer.spec.integration
    return integration.error_items_of(error) is None and integration.close_of(error) is None


_observers: tuple[Observer, ...] = ()


def add_observer(observer: Observer) -> None:
    """Let an observer watch every connection of the process that comes from now on; twice is once."""
    global _observers
    if observer not in _observers:
        _observers = (*_observers, observer)


def remove_observer(observer: Observer) -> None:
    """Let an observer watch no new connection; those it watches already it watches to their end."""
    global _observers
    _observers = tuple(other for other in _observers if other is not observer)


def observers() -> tuple[Observer, ...]:
    """Return who watches a connection that comes now."""
    return _observers
