"""An answer that is a stream."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from pydantic import BaseModel

if TYPE_CHECKING:
    from .client import BaseClient
    from .topic import BaseTopic

__all__ = ["Stream"]

T = TypeVar("T")


class Stream(Generic[T]):
    """Items of an answer: `async with client.ask(...) as answer: async for item in answer: ...`.

    Leaving the block cancels what is left. The server is given credit as items are read, so it never sends more than a
    window ahead.
    """

    def __init__(
        self,
        client: "BaseClient",
        message: BaseModel,
        window: int | None,
        topic: "BaseTopic[Any] | None" = None,
    ) -> None:
        self._client = client
        self._window = window if client.controls.get("more") else None
        self._exchange = client.new_exchange(message, topic, None, window=self._window)
        self._has_begun = False
        self._read = 0

    async def __aenter__(self) -> Self:
        self._has_begun = True
        try:
            await self._client.begin(self._exchange)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.abandon(self._exchange, cancels=True)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if not self._has_begun:
            raise RuntimeError("Enter the stream first: async with client.ask(...) as answer")
        item = await self._exchange.inbox.get()
        self._read += 1
        if self._window is not None and self._read >= max(1, self._window // 2):
            credit, self._read = self._read, 0
            if not self._exchange.inbox.has_ended:
                await self._client.send_control("more", self._exchange, credit)
        return cast(T, item)
