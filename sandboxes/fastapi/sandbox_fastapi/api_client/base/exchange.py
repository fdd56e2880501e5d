# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Messages on their way out with what answers them, and messages that wait to be read."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from pydantic import BaseModel

from .errors import MessagesDropped

if TYPE_CHECKING:
    from .topic import BaseTopic

__all__ = ["Exchange", "Inbox", "kinds_of"]

T = TypeVar("T")


class Inbox(Generic[T]):
    """What was received and not read yet, up to a limit; then the oldest is dropped, and reading reports that."""

    def __init__(self, limit: int) -> None:
        self._items: deque[T] = deque(maxlen=limit)
        self._wake = asyncio.Event()
        self._error: Exception | None = None
        self._dropped = False
        self.has_ended = False

    def put(self, item: T) -> None:
        """Add an item; after the end it is discarded."""
        if not self.has_ended:
            self._dropped = self._dropped or len(self._items) == self._items.maxlen
            self._items.append(item)
            self._wake.set()

    def end(self, error: Exception | None = None) -> None:
        """Add nothing more; `error` is raised once everything is read."""
        if not self.has_ended:
            self.has_ended, self._error = True, error
            self._wake.set()

    async def get(self) -> T:
        """Return the next item. Raises StopAsyncIteration at the end, and MessagesDropped once after a loss."""
        while True:
            if self._dropped:
                self._dropped = False
                raise MessagesDropped(f"More than {self._items.maxlen} messages were waiting")
            if self._items:
                return self._items.popleft()
            if self.has_ended:
                # Many may raise it, and it would keep the frames of all.
                raise self._error.with_traceback(None) if self._error else StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        return await self.get()


class Exchange:
    """One message to the server and, where it has a `ref`, what answers it.

    `answers` are the types of its answers; None means the items of a stream, which have a number.
    """

    def __init__(
        self,
        text: str,
        ref: str = "",
        topic: "BaseTopic[Any] | None" = None,
        answers: tuple[type[BaseModel], ...] | None = (),
        *,
        limit: int = 1,
        ends_at_first: bool = False,
    ) -> None:
        self.text = text
        self.ref = ref
        self.topic = topic
        self.inbox: Inbox[BaseModel] = Inbox(limit)
        self.ends_at_first = ends_at_first
        self.was_sent = False
        self._answers = answers

    # Any: a message type, or a union of them.
    def expects(self, kind: Any, seq: object) -> bool:
        """Tell whether a message of a kind is an answer; others may have the same `ref`."""
        if self._answers is None:
            return seq is not None
        return kind in self._answers or any(one in self._answers for one in kinds_of(kind))


def kinds_of(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the one type."""
    return (kind,) if isinstance(kind, type) else cast("tuple[Any, ...]", kind.__args__)
