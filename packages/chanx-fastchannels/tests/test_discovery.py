"""What the command line is told about applications, and Litestar, whose routes are its own."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from fastapi import FastAPI
from litestar import Litestar, Request, Router, asgi, get, websocket_listener
from litestar.testing import AsyncTestClient
from litestar.types import ASGIApp, Receive, Scope, Send
from starlette.applications import Starlette

from chanx.asyncapi import DocumentOptions, Parameter
from chanx.asyncapi.discovery import Target, discover
from chanx.core.decorators import ws_handler
from chanx.fast_channels import asyncapi_docs, asyncapi_spec_json, asyncapi_spec_yaml
from chanx.fast_channels.discovery import discover_routes
from chanx.fast_channels.routing import add_websocket_consumer
from chanx.fast_channels.testing import WebsocketCommunicator
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage


class PingConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


ping_app = PingConsumer.as_asgi()


@asgi("/ws/{room:str}", copy_scope=True)
async def ping(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand connections on to the consumer, as Litestar's documentation shows it for any ASGI application."""
    await ping_app(scope, receive, send)


@websocket_listener("/other")
async def other(data: str) -> str:
    return data


@get(["/docs", "/json", "/yaml"])
async def documents(request: Request[Any, Any, Any]) -> ASGIApp:
    views: dict[str, Any] = {
        "docs": asyncapi_docs,
        "json": asyncapi_spec_json,
        "yaml": asyncapi_spec_yaml,
    }
    answer: ASGIApp = await views[request.url.path.strip("/")](
        request, request.app, {"title": "Star"}
    )
    return answer


def litestar() -> Litestar:
    @asgi("/mounted", is_mount=True, copy_scope=True)
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await local(scope, receive, send)

    local = PingConsumer.as_asgi()
    return Litestar(
        [ping, other, documents, Router("/api/{version:int}", route_handlers=[mounted])]
    )


def test_consumers_behind_handlers_of_litestar() -> None:
    first, second = sorted(discover_routes(litestar()), key=lambda route: route.address)

    assert (first.address, first.parameters) == (
        "/api/{version}/mounted",
        (Parameter("version", "int"),),
    )
    assert (second.address, second.parameters) == ("/ws/{room}", (Parameter("room", "str"),))
    assert first.consumer is second.consumer is PingConsumer


async def test_litestar_serves_what_is_documented() -> None:
    app: Any = litestar()

    async with WebsocketCommunicator(app, "/ws/lobby", consumer=PingConsumer) as communicator:
        await communicator.send_message(PingMessage())
        assert await communicator.receive_json_from() == {"action": "pong", "payload": None}


async def test_the_views_on_litestar() -> None:
    async with AsyncTestClient(litestar()) as client:
        as_json, as_yaml = await client.get("/json"), await client.get("/yaml")
        page, style = await client.get("/docs"), await client.get("/docs?asset=style.css")
        again = await client.get("/json", headers={"If-None-Match": as_json.headers["etag"]})

    document = as_json.json()
    assert document["info"]["title"] == "Star"
    assert document["servers"]["production"]["host"] == "testserver.local"
    assert len(document["channels"]) == 2
    assert yaml.safe_load(as_yaml.text) == document
    assert "<title>Star</title>" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert (again.status_code, again.content) == (304, b"")


def test_the_command_line_is_told_what_an_application_says() -> None:
    app = FastAPI(title="Shop", version="3.1.4", description="Sells")
    add_websocket_consumer(app, "/ws", PingConsumer)
    found = discover(Target("shop:app", app))

    assert found is not None
    assert [route.address for route in found.routes] == ["/ws"]
    assert found.options == DocumentOptions(
        title="Shop AsyncAPI documentation", version="3.1.4", description="Sells"
    )
    other_kind = discover(Target("star:app", Starlette()))
    assert other_kind is not None
    assert other_kind.options == DocumentOptions()


@pytest.mark.parametrize("value", [object(), SimpleNamespace(app=3), Path])
def test_what_is_no_application_is_nobodys(value: object) -> None:
    assert discover(Target("it", value)) is None
