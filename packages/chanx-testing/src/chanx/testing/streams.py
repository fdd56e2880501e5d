"""A streamed answer, as the client of a test receives it."""

import json
from collections.abc import Callable
from typing import Any, Protocol, Self

from pydantic_core import from_json

from chanx.core.spec import Control
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import ErrorMessage
from chanx.testing.frames import decoded, written
from chanx.testing.socket import text_of
from chanx.type_defs import ASGIEvent

__all__ = ["StreamedAnswer"]


class _Client(Protocol):
    """The connection of a test."""

    # Any: the events that the consumer can be sent play no part here.
    consumer: type[ChanxWebsocketConsumerMixin[Any]]

    async def send_to(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Send a frame."""
        ...

    async def expect_frame(
        self, wanted: Callable[[ASGIEvent], bool], what: str, timeout: float
    ) -> ASGIEvent:
        """Wait for the first frame that is wanted."""
        ...


class StreamedAnswer:
    """Iterates over the items of an answer; `end` is the message that ended it.

    An error that ends it raises AssertionError, unless the test has cancelled it. With a `window`, credit is given as
    items are taken.
    """

    def __init__(
        self,
        client: _Client,
        ref: str,
        window: int | None,
        timeout: float,
        topic: str | None = None,
    ) -> None:
        self.ref = ref
        self.end: BaseMessage | None = None
        self._client = client
        self._window = window
        self._timeout = timeout
        self._topic = topic
        self._taken = 0
        self._is_cancelled = False

    async def begin(self, message: BaseMessage) -> None:
        """Send the request."""
        text = written(self._client.consumer, message, self._topic, self.ref)
        if self._window is not None:
            text = f'{text[:-1]},"window":{self._window}}}'
        await self._client.send_to(text_data=text)

    async def cancel(self) -> None:
        """Ask the server to end it; what comes before the end is still received."""
        self._is_cancelled = True
        await self._control("cancel")

    async def more(self, number: int) -> None:
        """Say that the client can take so many items more."""
        await self._control("more", payload=number)

    async def close(self) -> None:
        """Cancel it unless it has ended, and wait for its end."""
        if self.end is None:
            await self.cancel()
            async for _ in self:
                pass

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BaseMessage:
        if self.end is not None:
            raise StopAsyncIteration
        event = await self._client.expect_frame(self._is_ours, "an item or its end", self._timeout)
        message = decoded(self._client.consumer, event)
        if "seq" in from_json(text_of(event)):
            await self._give_credit()
            return message
        self.end = message
        if isinstance(message, ErrorMessage) and not self._is_cancelled:
            raise AssertionError(f"The stream ended with an error: {message.payload!r}.")
        raise StopAsyncIteration

    def _is_ours(self, event: ASGIEvent) -> bool:
        text = event.get("text")
        return isinstance(text, str) and self.ref in text and from_json(text).get("ref") == self.ref

    async def _give_credit(self) -> None:
        self._taken += 1
        if self._window is not None and self._taken >= max(1, self._window // 2):
            number, self._taken = self._taken, 0
            await self.more(number)

    # Any: what a control action carries.
    async def _control(self, control: Control, **payload: Any) -> None:
        spec = self._client.consumer.spec
        names = {known: name for name, known in spec.controls.items()}
        field = spec.wire_format.discriminator_field
        await self._client.send_to(
            text_data=json.dumps({field: names.get(control, control), **payload, "ref": self.ref})
        )
