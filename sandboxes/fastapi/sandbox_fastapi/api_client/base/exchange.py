# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Messages that wait for their answers, and messages that wait to be read."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel

from .errors import MessagesDropped

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
        """Add an item."""
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
                raise self._error or StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        return await self.get()


class Exchange:
    """One message under its `ref`: what has answered it, until its end."""

    def __init__(
        self,
        limit: int,
        answers: tuple[type[BaseModel], ...] | None,
        *,
        ends_at_first: bool = False,
    ) -> None:
        self.inbox: Inbox[BaseModel] = Inbox(limit)
        self.ends_at_first = ends_at_first
        self.was_sent = False
        self._answers = answers

    # Any: a message type, or a union of them.
    def expects(self, kind: Any, seq: object) -> bool:
        """Tell whether a message of a kind is an answer; items of streams are those with a number."""
        if self._answers is None:
            return seq is not None
        return any(one in self._answers for one in kinds_of(kind))


def kinds_of(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the one type."""
    return (kind,) if isinstance(kind, type) else cast("tuple[Any, ...]", kind.__args__)
