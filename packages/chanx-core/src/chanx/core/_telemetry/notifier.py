"""The observers of one connection, none of which can harm it."""

import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from chanx.core.observers import Observer, observers
from chanx.messages.base import BaseMessage
from chanx.utils.logging import logger

if TYPE_CHECKING:
    from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["Notifier"]


class Notifier:
    """Tells several observers as if they were one."""

    __slots__ = ("_consumer", "_observers")

    def __init__(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", observers: tuple[Observer, ...]
    ) -> None:
        self._consumer = consumer
        self._observers = observers

    @classmethod
    def of(cls, consumer: "ChanxWebsocketConsumerMixin[Any]") -> "Notifier | None":
        """Return the notifier of a connection that begins; None without observers."""
        found = observers()
        return cls(consumer, found) if found else None

    def connected(self) -> None:
        """Tell that the client was let in."""
        self._each(lambda observer: observer.on_connect(self._consumer))

    def replied(self, message: BaseMessage) -> None:
        """Tell that a message was sent."""
        self._each(lambda observer: observer.on_reply(self._consumer, message))

    def failed(self, error: Exception, message: BaseMessage | None = None) -> None:
        """Tell that something went wrong."""
        self._each(lambda observer: observer.on_error(self._consumer, error, message))

    def dropped(self, reason: str) -> None:
        """Tell that a message did not reach the client."""
        self._each(lambda observer: observer.on_drop(self._consumer, reason))

    def closed(self, code: int) -> None:
        """Tell that the connection has ended."""
        self._each(lambda observer: observer.on_close(self._consumer, code))

    @contextmanager
    def handling(self, message: BaseMessage) -> Generator[None]:
        """Tell that a handler runs, and enter what the observers return while it does."""
        entered: list[AbstractContextManager[object]] = []

        def enter(observer: Observer) -> None:
            context = observer.on_message(self._consumer, message)
            if context is not None:
                context.__enter__()
                entered.append(context)

        self._each(enter)
        try:
            yield
        finally:
            failure = sys.exc_info()
            while entered:
                # Its answer is ignored: no observer may swallow a cancellation.
                _isolated(lambda context: context.__exit__(*failure), entered.pop())

    def _each(self, tell: Callable[[Observer], object]) -> None:
        for observer in self._observers:
            _isolated(tell, observer)


def _isolated(call: Callable[[Any], object], argument: object) -> None:
    try:
        call(argument)
    except Exception:
        logger.exception("An observer failed")
