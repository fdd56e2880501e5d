"""The observers of one connection, none of which can harm it."""

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Generic, Protocol, TypeVar

from chanx.messages.base import BaseMessage
from chanx.utils.logging import logger

__all__ = ["Notifier"]

C = TypeVar("C", contravariant=True)


class Notified(Protocol[C]):
    """An observer of connections whose consumers are of one type."""

    def on_connect(self, consumer: C) -> None:
        """Learn that a client was admitted."""
        ...

    def on_message(
        self, consumer: C, message: BaseMessage
    ) -> AbstractContextManager[object] | None:
        """Learn that a handler is about to run."""
        ...

    def on_reply(self, consumer: C, message: BaseMessage) -> None:
        """Learn that a message was sent."""
        ...

    def on_error(self, consumer: C, error: Exception, message: BaseMessage | None) -> None:
        """Learn that something went wrong."""
        ...

    def on_stream_end(self, consumer: C, message: BaseMessage, items: int) -> None:
        """Learn that a stream has ended."""
        ...

    def on_credit_wait(self, consumer: C, message: BaseMessage, seconds: float) -> None:
        """Learn that a stream has waited for credit."""
        ...

    def on_drop(self, consumer: C, reason: str) -> None:
        """Learn that a message did not reach the client."""
        ...

    def on_close(self, consumer: C, code: int) -> None:
        """Learn that a connection has ended."""
        ...


class Notifier(Generic[C]):
    """Notifies several observers as if they were one."""

    __slots__ = ("_consumer", "_observers")

    def __init__(self, consumer: C, observers: Sequence[Notified[C]]) -> None:
        self._consumer = consumer
        self._observers = observers

    def connected(self) -> None:
        """Notify that the client was admitted."""
        self._each(lambda observer: observer.on_connect(self._consumer))

    def replied(self, message: BaseMessage) -> None:
        """Notify that a message was sent."""
        self._each(lambda observer: observer.on_reply(self._consumer, message))

    def failed(self, error: Exception, message: BaseMessage | None = None) -> None:
        """Notify that something went wrong."""
        self._each(lambda observer: observer.on_error(self._consumer, error, message))

    def streamed(self, message: BaseMessage, items: int) -> None:
        """Notify that the stream that answers a message has ended."""
        self._each(lambda observer: observer.on_stream_end(self._consumer, message, items))

    def credit_awaited(self, message: BaseMessage, seconds: float) -> None:
        """Notify that a stream has waited for credit."""
        self._each(lambda observer: observer.on_credit_wait(self._consumer, message, seconds))

    def dropped(self, reason: str) -> None:
        """Notify that a message did not reach the client."""
        self._each(lambda observer: observer.on_drop(self._consumer, reason))

    def closed(self, code: int) -> None:
        """Notify that the connection has ended."""
        self._each(lambda observer: observer.on_close(self._consumer, code))

    @contextmanager
    def handling(self, message: BaseMessage) -> Generator[None]:
        """Notify that a handler runs, and enter what the observers return while it does."""
        entered: list[AbstractContextManager[object]] = []

        def enter(observer: Notified[C]) -> None:
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

    def _each(self, tell: Callable[[Notified[C]], object]) -> None:
        for observer in self._observers:
            _isolated(tell, observer)


def _isolated(call: Callable[[Any], object], argument: object) -> None:
    try:
        call(argument)
    except Exception:
        logger.exception("An observer failed")
