# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""An answer that is a stream."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from pydantic import BaseModel

if TYPE_CHECKING:
    from .client import BaseClient
    from .exchange import Exchange

__all__ = ["Stream"]

T = TypeVar("T")


class Stream(Generic[T]):
    """Items of an answer: `async with client.ask(...) as answer: async for item in answer: ...`.

    Leaving the block cancels what is left. The server is given credit as items are read, so it never sends more than a
    window ahead.
    """

    def __init__(
        self, client: "BaseClient", message: BaseModel, window: int | None, topic: str | None = None
    ) -> None:
        self._client = client
        self._message = message
        self._window = window if client.controls.get("more") else None
        self._topic = topic
        self._ref = ""
        self._exchange: Exchange | None = None
        self._read = 0

    async def __aenter__(self) -> Self:
        extra: dict[str, Any] = {} if self._window is None else {"window": self._window}
        self._ref, self._exchange = await self._client.begin_exchange(
            self._message, self._topic, None, **extra
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.abandon_exchange(self._ref)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._exchange is None:
            raise RuntimeError("Enter the stream first: async with client.ask(...) as answer")
        item = await self._exchange.inbox.get()
        self._read += 1
        if self._window is not None and self._read >= max(1, self._window // 2):
            credit, self._read = self._read, 0
            if not self._exchange.inbox.has_ended:
                await self._client.send_control("more", self._ref, credit)
        return cast(T, item)
