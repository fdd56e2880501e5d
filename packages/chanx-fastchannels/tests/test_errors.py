"""Exceptions of Starlette and FastAPI that answer a message or close a connection."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any

import fastapi
import pytest
from fastapi import Depends
from starlette import exceptions as starlette

from chanx.core.decorators import ws_handler
from chanx.core.exceptions import MessageError
from chanx.fast_channels.layers import memory_layer
from chanx.fast_channels.testing import use_channel_layer
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from chanx_conformance.framework_errors import (
    BuyMessage,
    assert_answered,
    assert_event_answered,
    assert_next_is_handled,
    raising,
)


def item(status: int, text: str, **more: Any) -> list[dict[str, Any]]:
    return [{"type": f"http_{status}", "loc": [], "msg": text, "status": status, **more}]


UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY.phrase  # Python 3.13 has another one than before
CASES: list[tuple[Exception, list[dict[str, Any]]]] = [
    (fastapi.HTTPException(404, "No such item"), item(404, "No such item")),
    (starlette.HTTPException(409, "Taken"), item(409, "Taken")),
    (starlette.HTTPException(403), item(403, "Forbidden")),
    (fastapi.HTTPException(503, "Back at nine"), item(503, "Back at nine")),
    (
        fastapi.HTTPException(422, {"field": "age"}),
        item(422, UNPROCESSABLE, detail={"field": "age"}),
    ),
    (fastapi.HTTPException(499, ["odd"]), item(499, "Error", detail=["odd"])),
]
IDS = [repr(error) for error, _ in CASES]


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    with use_channel_layer(memory_layer()):
        async with no_leaks():
            yield


def in_handler(error: Exception) -> type[AsyncJsonWebsocketConsumer]:
    return raising(AsyncJsonWebsocketConsumer, error)


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


@pytest.mark.parametrize(("error", "items"), CASES, ids=IDS)
@pytest.mark.parametrize("make", [in_handler, in_dependency])
async def test_http_exception_answers_a_message(
    make: Any, error: Exception, items: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """With its status; its text is shown also for a status of 500 and more, as FastAPI does."""
    async with connection(make(error)) as ws:
        await assert_answered(ws, items)
        if make is in_handler:
            await assert_next_is_handled(ws)
    assert "Traceback" not in caplog.text


async def test_http_exception_of_an_event_handler_reaches_the_client() -> None:
    async with connection(in_handler(fastapi.HTTPException(404, "No such item"))) as ws:
        await assert_event_answered(ws, item(404, "No such item"))


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
        await assert_answered(ws, item(409, "Try again"))
    assert steps == ["rollback 404"]


@pytest.mark.parametrize(
    "kind",
    [fastapi.WebSocketException, starlette.WebSocketException],
    ids=["fastapi", "starlette"],
)
@pytest.mark.parametrize("make", [in_handler, in_dependency, on_connection])
async def test_websocket_exception_closes(make: Any, kind: Any) -> None:
    """With its code and reason, and without an error frame."""
    ws = connection(make(kind(4321, "It is over")))
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
