"""Dependencies under `from __future__ import annotations`: every annotation is text until it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import pytest
from fastapi import Depends, FastAPI

from chanx.core.decorators import ws_handler
from chanx.fast_channels.routing import add_websocket_consumer
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import WebsocketCommunicator

if TYPE_CHECKING:
    from decimal import Decimal


def earlier() -> str:
    return "earlier"


Named = Annotated[str, Depends(earlier)]
seen: list[tuple[str, ...]] = []


class DeferredConsumer(AsyncJsonWebsocketConsumer):
    named: Named
    written_out: Annotated[str, Depends(later)]  # pyright: ignore[reportUndefinedVariable, reportUnknownArgumentType] # below
    only_for_type_checkers: Decimal
    of_the_class: ClassVar[int] = 3

    @ws_handler
    async def handle_ping(
        self, message: PingMessage, value: Named, plain: str = "plain"
    ) -> PongMessage:
        seen.append((self.named, self.written_out, value, plain))
        return PongMessage()


def later() -> str:
    return "later"


async def test_annotations_that_are_text() -> None:
    """Named and written out, defined before and after; what exists for type checkers alone is none of ours."""
    app = FastAPI()
    add_websocket_consumer(app, "/ws", DeferredConsumer)
    async with WebsocketCommunicator(app, "/ws", consumer=DeferredConsumer) as ws:
        await ws.send_message(PingMessage())
        assert await ws.receive_message() == PongMessage()

    assert seen == [("earlier", "later", "earlier", "plain")]


def test_dependency_that_does_not_exist() -> None:
    """The error says where, when the application is built."""

    class MissingConsumer(AsyncJsonWebsocketConsumer):
        missing: Annotated[str, Depends(nowhere)]  # noqa: F821 # pyright: ignore[reportUndefinedVariable, reportUnknownArgumentType]

    with pytest.raises(NameError, match="annotation of MissingConsumer names 'nowhere'"):
        add_websocket_consumer(FastAPI(), "/ws", MissingConsumer)
