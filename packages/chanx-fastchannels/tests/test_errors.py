"""Exceptions of Starlette and FastAPI that answer a message or close a connection."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import fastapi
import pytest
from fastapi import Depends
from starlette import exceptions as starlette

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.exceptions import MessageError
from chanx.fast_channels.layers import memory_layer, register_layers
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks

CASES: list[tuple[Exception, dict[str, Any]]] = [
    (fastapi.HTTPException(404, "No such item"), {"type": "http_404", "msg": "No such item", "status": 404}),
    (starlette.HTTPException(409, "Taken"), {"type": "http_409", "msg": "Taken", "status": 409}),
    (starlette.HTTPException(403), {"type": "http_403", "msg": "Forbidden", "status": 403}),
    (fastapi.HTTPException(503, "Back at nine"), {"type": "http_503", "msg": "Back at nine", "status": 503}),
    (
        fastapi.HTTPException(422, {"field": "age"}),
        {"type": "http_422", "status": 422, "detail": {"field": "age"}},
    ),
    (fastapi.HTTPException(499, ["odd"]), {"type": "http_499", "msg": "Error", "status": 499, "detail": ["odd"]}),
]  # fmt: skip
IDS = [repr(error) for error, _ in CASES]


class BuyMessage(BaseMessage):
    action: Literal["buy"] = "buy"
    payload: str = ""


class NewsEvent(BaseMessage):
    action: Literal["news"] = "news"
    payload: None = None


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    register_layers({"shop": memory_layer()})
    async with no_leaks():
        yield


def in_handler(error: Exception) -> type[AsyncJsonWebsocketConsumer[NewsEvent]]:
    class ShopConsumer(AsyncJsonWebsocketConsumer[NewsEvent]):
        channel_layer_alias = "shop"
        groups = ["shop"]  # noqa: RUF012 - the documented way to write it

        @ws_handler
        async def handle_buy(self, message: BuyMessage) -> BuyMessage:
            if message.payload == "fine":
                return message
            raise error

        @event_handler
        async def handle_news(self, event: NewsEvent) -> None:
            raise error

    return ShopConsumer


def in_dependency(error: Exception) -> type[AsyncJsonWebsocketConsumer]:
    async def stock() -> str:
        raise error

    class ShopConsumer(AsyncJsonWebsocketConsumer):
        @ws_handler
        async def handle_buy(
            self, message: BuyMessage, items: Annotated[str, Depends(stock)]
        ) -> None: ...

    return ShopConsumer


def on_connection(error: Exception) -> type[AsyncJsonWebsocketConsumer]:
    async def stock() -> str:
        raise error

    class ShopConsumer(AsyncJsonWebsocketConsumer):
        items: Annotated[str, Depends(stock)]

    return ShopConsumer


def connection(consumer: type[AsyncJsonWebsocketConsumer[Any]]) -> WebsocketCommunicator:
    return WebsocketCommunicator(consumer.as_asgi(), "/ws", consumer=consumer)


def in_one_item(frame: dict[str, Any], expected: dict[str, Any]) -> bool:
    (item,) = frame["payload"]
    return bool(frame["action"] == "error" and item == {"loc": [], **item, **expected})


@pytest.mark.parametrize(("error", "expected"), CASES, ids=IDS)
@pytest.mark.parametrize("raising", [in_handler, in_dependency])
async def test_http_exception_answers_a_message(
    raising: Any, error: Exception, expected: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """With its status; its text is shown also for a status of 500 and more, as FastAPI does."""
    consumer = raising(error)
    async with connection(consumer) as ws:
        await ws.send_message(BuyMessage(), ref="1")
        frame = await ws.receive_json_from()
        assert in_one_item(frame, expected)
        assert frame["ref"] == "1"
        if raising is in_handler:
            await ws.send_message(BuyMessage(payload="fine"))
            assert await ws.receive_message() == BuyMessage(payload="fine")
    assert "Traceback" not in caplog.text


async def test_http_exception_of_an_event_handler_reaches_the_client() -> None:
    consumer = in_handler(fastapi.HTTPException(404, "No such item"))
    async with connection(consumer) as ws:
        await consumer.broadcast_event(NewsEvent())
        frame = await ws.receive_json_from()
    assert frame == {
        "action": "error",
        "payload": [{"type": "http_404", "loc": [], "msg": "No such item", "status": 404}],
    }


async def test_http_exception_runs_the_clean_up_of_dependencies() -> None:
    """A dependency with `yield` is told, and may raise another one."""
    steps: list[str] = []

    async def session() -> AsyncIterator[str]:
        try:
            yield "session"
        except fastapi.HTTPException as error:
            steps.append(f"rollback {error.status_code}")
            raise fastapi.HTTPException(409, "Try again") from error

    class ShopConsumer(AsyncJsonWebsocketConsumer):
        @ws_handler
        async def handle_buy(
            self, message: BuyMessage, opened: Annotated[str, Depends(session)]
        ) -> None:
            raise fastapi.HTTPException(404, "No such item")

    async with connection(ShopConsumer) as ws:
        await ws.send_message(BuyMessage())
        assert in_one_item(await ws.receive_json_from(), {"status": 409, "msg": "Try again"})
    assert steps == ["rollback 404"]


@pytest.mark.parametrize(
    "kind",
    [fastapi.WebSocketException, starlette.WebSocketException],
    ids=["fastapi", "starlette"],
)
@pytest.mark.parametrize("raising", [in_handler, in_dependency, on_connection])
async def test_websocket_exception_closes(raising: Any, kind: Any) -> None:
    """With its code and reason, and without an error frame."""
    ws = connection(raising(kind(4321, "It is over")))
    assert (await ws.connect())[0]
    await ws.send_message(BuyMessage(), ref="1")
    closed = await ws.receive_output()
    await ws.wait()

    assert closed == {"type": "websocket.close", "code": 4321, "reason": "It is over"}


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (fastapi.HTTPException(401, "Unknown token"), 4401, "Unknown token"),
        (fastapi.HTTPException(403, {"scope": "shop"}), 4403, "Forbidden"),
        (MessageError("closed", "Back at nine", status=503), 4503, "Back at nine"),
        (MessageError("closed", "Back at nine"), 4400, "Back at nine"),
        (MessageError("long", "x" * 200), 4400, "x" * 123),
    ],
    ids=repr,
)
async def test_application_error_of_a_connection_rejects_it(
    error: Exception, code: int, reason: str
) -> None:
    """With 4000 and the status, 4400 without one."""
    ws = connection(on_connection(error))
    await ws.connect()
    closed = await ws.receive_output()
    await ws.wait()

    assert (closed["code"], closed["reason"]) == (code, reason)
