"""Exceptions of a framework that answer a message; each integration tests those of its own frameworks."""

from typing import Any, ClassVar, Literal, TypeVar, cast

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.testing import WebsocketCommunicator
from chanx.type_defs import JSONObject
from chanx_conformance.models import NewsEvent

__all__ = [
    "BuyMessage",
    "assert_answered",
    "assert_event_answered",
    "assert_next_is_handled",
    "raising",
]

C = TypeVar("C", bound=ChanxWebsocketConsumerMixin[Any])


class BuyMessage(BaseMessage):
    """Asks for an item."""

    action: Literal["buy"] = "buy"
    payload: str = ""


class Shop(ChanxWebsocketConsumerMixin[Any]):
    """Raises an error in its handlers."""

    groups: list[str] = ["shop"]  # noqa: RUF012 - the documented way to write it

    error: ClassVar[Exception]

    @ws_handler
    async def buy(self, message: BuyMessage) -> BuyMessage:
        """Raise, unless the message says that all is well."""
        if message.payload == "fine":
            return message
        raise self.error

    @event_handler
    async def news(self, event: NewsEvent) -> None:
        """Raise."""
        raise self.error


def raising(base: type[C], error: Exception) -> type[C]:
    """Make a consumer that raises the error for a message and for an event."""
    return cast(type[C], type("ShopConsumer", (Shop, base), {"error": error}))


async def assert_answered(ws: WebsocketCommunicator, items: list[JSONObject]) -> None:
    """Expect exactly these items, under the reference of the message."""
    await ws.send_message(BuyMessage(), ref="1")
    frame = await ws.receive_json_from()
    assert frame == {"action": "error", "payload": items, "version": 1, "ref": "1"}


async def assert_next_is_handled(ws: WebsocketCommunicator) -> None:
    """Expect that the connection goes on."""
    await ws.send_message(BuyMessage(payload="fine"))
    assert await ws.receive_message() == BuyMessage(payload="fine")


async def assert_event_answered(ws: WebsocketCommunicator, items: list[JSONObject]) -> None:
    """Expect exactly these items, without a reference, when the handler of an event raises."""
    await ws.consumer.broadcast_event(NewsEvent(payload=""))
    assert await ws.receive_json_from() == {"action": "error", "payload": items}
