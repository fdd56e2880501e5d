"""Streams and requests of the server in tests."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar, Literal

import pytest

from chanx.core.decorators import ws_handler
from chanx.core.exceptions import MessageError
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import CompleteMessage, ErrorMessage
from chanx.testing import WebsocketCommunicator


class CountMessage(BaseMessage):
    """Asks for numbers up to one; for ever with 0."""

    action: Literal["count"] = "count"
    payload: int


class NumberMessage(BaseMessage):
    """One number."""

    action: Literal["number"] = "number"
    payload: int


class ApproveMessage(BaseMessage):
    """Asks the client."""

    action: Literal["approve"] = "approve"
    payload: str


class ApprovedMessage(BaseMessage):
    """The client's decision."""

    action: Literal["approved"] = "approved"
    payload: bool


class Counter(ChanxWebsocketConsumerMixin[Any]):
    """Counts, if it may."""

    control_actions: ClassVar[Any] = {"cancel": "stop"}
    requests: ClassVar[Any] = {ApproveMessage: ApprovedMessage}

    @ws_handler
    async def count(self, message: CountMessage) -> AsyncIterator[NumberMessage]:
        """Count."""
        if message.payload < 0:
            question = ApproveMessage(payload="Backwards?")
            if not (await self.request(question, ApprovedMessage)).payload:
                raise MessageError("declined", "Never mind")
        number = 0
        while number != abs(message.payload) or not number:
            number += 1
            yield NumberMessage(payload=number)


def connect() -> WebsocketCommunicator:
    """Make a connection."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await Counter()(scope, receive, send)

    return WebsocketCommunicator(application, "/ws", consumer=Counter)


@pytest.mark.parametrize("window", [None, 1, 4])
async def test_items_come_one_by_one(window: int | None) -> None:
    """With their end, and credit as they are taken."""
    async with connect() as ws, ws.stream(CountMessage(payload=9), window=window) as items:
        assert [item.payload async for item in items] == [*range(1, 10)]
        assert items.end == CompleteMessage()


async def test_leaving_the_block_cancels() -> None:
    """And waits for the end of the stream."""
    async with connect() as ws:
        async with ws.stream(CountMessage(payload=0), window=2) as items:
            assert (await anext(items)).payload == 1
        assert isinstance(items.end, ErrorMessage)
        await ws.assert_nothing()


async def test_requests_of_the_server_are_answered() -> None:
    """An error that ends a stream fails the test that does not expect it."""
    async with connect() as ws:
        async with ws.stream(CountMessage(payload=-2)) as items:
            asked = await ws.answer(ApproveMessage, with_=ApprovedMessage(payload=True))
            assert asked.payload == "Backwards?"
            assert [item.payload async for item in items] == [1, 2]
        async with ws.stream(CountMessage(payload=-2)) as items:
            await ws.answer(ApproveMessage, with_=ApprovedMessage(payload=False))
            with pytest.raises(AssertionError, match="declined"):
                await anext(items)
