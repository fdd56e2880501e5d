"""Topics with FastAPI: its exceptions in `authorize()` and in handlers, and its dependencies."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, ClassVar

import fastapi
import pytest
from fastapi import Depends
from starlette import exceptions as starlette

from chanx.core.decorators import ws_handler
from chanx.core.topic import Topic
from chanx.fast_channels.layers import memory_layer
from chanx.fast_channels.testing import use_channel_layer
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from chanx_conformance.framework_errors import BuyMessage

steps: list[str] = []


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    steps.clear()
    layer = memory_layer()
    with use_channel_layer(layer):
        async with no_leaks(layer):
            yield


async def session() -> AsyncIterator[str]:
    steps.append("open")
    try:
        yield "session"
    except fastapi.HTTPException as error:
        steps.append(f"rollback {error.status_code}")
        raise
    finally:
        steps.append("close")


async def agent(user_agent: Annotated[str, fastapi.Header()] = "nobody") -> str:
    return user_agent


class ShopTopic(Topic[Any]):
    pattern = "shop:{name}"
    error: ClassVar[Exception]

    async def authorize(self, name: str) -> bool:
        if name == "closed":
            raise self.error
        return True

    @ws_handler
    async def handle_buy(
        self,
        message: BuyMessage,
        opened: Annotated[str, Depends(session)],
        buyer: Annotated[str, Depends(agent)],
    ) -> BuyMessage:
        if message.payload != "fine":
            raise self.error
        steps.append(f"{self.params['name']} {opened}")
        return BuyMessage(payload=buyer)


class ShopConsumer(AsyncJsonWebsocketConsumer[Any]):
    topics: ClassVar[Any] = [ShopTopic]


def connection() -> WebsocketCommunicator:
    return WebsocketCommunicator(
        ShopConsumer.as_asgi(), "/ws", [(b"user-agent", b"ada")], consumer=ShopConsumer
    )


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (fastapi.HTTPException(404, "No such shop"), "http_404", "No such shop"),
        (starlette.HTTPException(403), "http_403", "Forbidden"),
        (fastapi.HTTPException(503, {"until": "nine"}), "http_503", "Service Unavailable"),
    ],
    ids=repr,
)
async def test_http_exception_refuses_a_topic(
    error: Exception,
    reason: str,
    detail: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With its status and its text; it is no failure, and the connection goes on."""
    monkeypatch.setattr(ShopTopic, "error", error, raising=False)
    async with connection() as ws:
        refused = await ws.subscribe("shop:closed")
        assert refused["payload"] == {"reason": reason, "detail": detail}
        assert (await ws.subscribe("shop:open"))["action"] == "subscribed"
    assert "Traceback" not in caplog.text


async def test_dependencies_of_a_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are provided as a consumer's are, and cleaned up after each message."""
    error = fastapi.HTTPException(409, "Taken")
    monkeypatch.setattr(ShopTopic, "error", error, raising=False)
    async with connection() as ws:
        await ws.subscribe("shop:open")
        answer = await ws.request(BuyMessage(payload="fine"), BuyMessage, topic="shop:open")
        assert answer == BuyMessage(payload="ada")
        await ws.send_message(BuyMessage(), topic="shop:open", ref="7")
        assert await ws.receive_json_from() == {
            "action": "error",
            "payload": [{"type": "http_409", "loc": [], "msg": "Taken", "status": 409}],
            "version": 1,
            "topic": "shop:open",
            "ref": "7",
        }
    assert steps == ["open", "open session", "close", "open", "rollback 409", "close"]


async def test_websocket_exception_closes_a_default_topic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With its code, and not with that of other refusals."""
    error = fastapi.WebSocketException(4321, "It is over")
    monkeypatch.setattr(ShopTopic, "error", error, raising=False)
    consumer = ShopTopic.as_consumer(AsyncJsonWebsocketConsumer)
    application = consumer.as_asgi()

    async def at_path(scope: Any, receive: Any, send: Any) -> None:
        await application({**scope, "path_params": {"name": "closed"}}, receive, send)

    ws = WebsocketCommunicator(at_path, "/ws", consumer=consumer)
    await ws.connect()
    await ws.assert_closed(4321)
    await ws.wait()


@pytest.mark.parametrize("name", ["open", "closed"])
async def test_websocket_exception_closes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of `authorize()` and of a handler: with its code and reason."""
    error = fastapi.WebSocketException(4321, "It is over")
    monkeypatch.setattr(ShopTopic, "error", error, raising=False)
    ws = connection()
    await ws.connect()
    if name == "open":
        await ws.subscribe("shop:open")
        await ws.send_message(BuyMessage(), topic="shop:open")
    else:
        await ws.send_json_to({"action": "subscribe", "topic": "shop:closed"})
    closed = await ws.receive_output()
    await ws.wait()

    assert closed == {"type": "websocket.close", "code": 4321, "reason": "It is over"}


def test_parameters_that_nothing_provides() -> None:
    """The class that has the topic is refused."""

    class OddTopic(Topic[Any]):
        pattern = "odd"

        @ws_handler
        async def handle_buy(self, message: BuyMessage, odd: WebsocketCommunicator) -> None: ...

    with pytest.raises(TypeError, match=r"^OddTopic\.handle_buy\(\) has a parameter 'odd'"):
        type("Wrong", (AsyncJsonWebsocketConsumer,), {"topics": [OddTopic]})
