"""Views of the AsyncAPI document, called as a server calls them."""

import asyncio
import json
import subprocess
import sys
from typing import Any, Literal, NamedTuple

import pytest
import yaml
from fast_channels.layers import unregister_channel_layer
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import create_model
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from chanx.asyncapi.docs import docs_page
from chanx.asyncapi.document import assembled
from chanx.core.decorators import ws_handler
from chanx.fast_channels import (
    asyncapi_client_js,
    asyncapi_docs,
    asyncapi_spec_json,
    asyncapi_spec_yaml,
)
from chanx.fast_channels.layers import memory_layer, register_layers
from chanx.fast_channels.routing import add_websocket_consumer
from chanx.fast_channels.type_defs import AsyncAPIConfig
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage

CONFIG = AsyncAPIConfig(title="Chat", version="2.0.0", description="Talk")


class PingConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def get(app: Any, url: str, **scope: Any) -> Answer:
    path, _, query = url.partition("?")
    headers = {"host": "chat.example", **scope.pop("headers", {})}
    events: list[Any] = []
    whole = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "path": path,
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        **scope,
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event: Any) -> None:
        events.append(event)

    await app(whole, receive, send)
    return Answer(
        events[0]["status"],
        {name.decode(): value.decode() for name, value in events[0]["headers"]},
        b"".join(event.get("body", b"") for event in events[1:]),
    )


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(title="Shop", version="3.1.4", description="Sells")
    add_websocket_consumer(app, "/ws", PingConsumer)

    @app.get("/asyncapi")
    async def docs(request: Request) -> HTMLResponse:
        return await asyncapi_docs(request=request, app=app, config=CONFIG)

    @app.get("/asyncapi.json")
    async def spec(request: Request) -> JSONResponse:
        return await asyncapi_spec_json(request=request, app=app, config=CONFIG)

    @app.get("/asyncapi.yaml")
    async def spec_yaml(request: Request) -> Response:
        return await asyncapi_spec_yaml(request=request, app=app, config=CONFIG)

    @app.get("/bare.json")
    async def bare() -> JSONResponse:
        return await asyncapi_spec_json(app=app)

    @app.get("/titled.json")
    async def titled() -> JSONResponse:
        return await asyncapi_spec_json(app=app, config={"title": "My API", "server_url": "h"})

    return app


async def test_json(app: FastAPI) -> None:
    answer = await get(app, "/asyncapi.json")

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert document["asyncapi"] == "3.0.0"
    assert document["info"] == {"title": "Chat", "version": "2.0.0", "description": "Talk"}
    assert document["servers"] == {"production": {"host": "chat.example", "protocol": "ws"}}
    assert document["channels"]["ping"]["address"] == "/ws"
    assert document["operations"]["handle_ping"]["action"] == "receive"


async def test_yaml_says_the_same(app: FastAPI) -> None:
    answer = await get(app, "/asyncapi.yaml")

    assert answer.headers["content-type"] == "application/x-yaml"
    assert yaml.safe_load(answer.body) == (await get(app, "/asyncapi.json")).json()


@pytest.mark.parametrize("path", ["/asyncapi", "/asyncapi.json", "/asyncapi.yaml"])
async def test_a_client_that_has_it_is_told_so(app: FastAPI, path: str) -> None:
    first = await get(app, path)
    second = await get(app, path, headers={"if-none-match": first.headers["etag"]})
    third = await get(app, path, headers={"if-none-match": '"another"'})

    assert (second.status, second.body) == (304, b"")
    assert second.headers["etag"] == first.headers["etag"]
    assert third.body == first.body


async def test_the_server_is_the_one_that_was_called(app: FastAPI) -> None:
    answer = await get(app, "/asyncapi.json", scheme="https", headers={"host": "localhost:8443"})

    assert answer.json()["servers"] == {
        "development": {"host": "localhost:8443", "protocol": "wss"}
    }


@pytest.mark.parametrize("path", ["/asyncapi", "/asyncapi.json", "/asyncapi.yaml"])
async def test_many_hosts_write_the_document_once(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client chooses the host and the port that it calls."""
    written: list[Any] = []

    def counted(*args: Any) -> Any:
        written.append(args)
        return assembled(*args)

    views: dict[str, Any] = {
        "/asyncapi": asyncapi_docs,
        "/asyncapi.json": asyncapi_spec_json,
        "/asyncapi.yaml": asyncapi_spec_yaml,
    }
    app = FastAPI(title=f"Of {path}")
    add_websocket_consumer(app, "/ws", PingConsumer)

    @app.get(path)
    async def view(request: Request) -> Response:
        response: Response = await views[path](request)
        return response

    monkeypatch.setattr("chanx.asyncapi.publication.assembled", counted)
    hosts = [f"{number}.example:{8000 + number}" for number in range(200)]
    answers = [await get(app, path, headers={"host": host}) for host in hosts]

    assert len({answer.headers["etag"] for answer in answers}) == 200
    assert all(host in answer.body.decode() for host, answer in zip(hosts, answers, strict=True))
    assert len(written) == 1


def handling(message: type[BaseMessage]) -> Any:
    async def handle(self: Any, message: Any) -> Any: ...

    handle.__name__ = f"handle_{message.__name__}"
    return ws_handler(input_type=message, output_type=message)(handle)


def large_application(title: str) -> FastAPI:
    """Make one whose document takes a while: five channels with 60 messages."""
    app = FastAPI(title=title)
    for channel in range(5):
        messages: list[Any] = []
        for number in range(12):
            action = f"ask_{channel}_{number}"
            literal: Any = Literal[action]  # pyright: ignore[reportInvalidTypeForm]
            payload = create_model(f"Payload{action}", a=(int, 1), b=(list[str], []))
            fields: Any = {"action": (literal, action), "payload": (payload, ...)}
            messages.append(create_model(f"Message{action}", __base__=BaseMessage, **fields))
        handlers = {f"handle_{number}": handling(each) for number, each in enumerate(messages)}
        consumer = type(f"Large{channel}Consumer", (AsyncJsonWebsocketConsumer,), handlers)
        add_websocket_consumer(app, f"/ws/{channel}", consumer)
    return app


@pytest.mark.parametrize(
    "view", [asyncapi_client_js, asyncapi_docs, asyncapi_spec_json, asyncapi_spec_yaml]
)
async def test_others_have_their_turn_while_a_document_is_made_once(
    view: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Any] = []
    turns = 0

    def counted(*args: Any) -> Any:
        written.append(args)
        return assembled(*args)

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    app = large_application(f"Of {view.__name__}")
    app.add_route("/document", view)
    monkeypatch.setattr("chanx.asyncapi.publication.assembled", counted)
    others = asyncio.create_task(take_turns())
    answers = await asyncio.gather(*(get(app, "/document") for _ in range(3)))
    others.cancel()

    assert [answer.status for answer in answers] == [200] * 3
    assert len({answer.body for answer in answers}) == 1
    assert len(written) == 1
    assert turns > 10  # a loop that is blocked until the answer has one or two


async def test_without_a_request(app: FastAPI) -> None:
    document = (await get(app, "/bare.json")).json()

    assert document["info"] == {
        "title": "Shop AsyncAPI documentation",
        "version": "3.1.4",
        "description": "Sells",
    }
    assert document["servers"]["development"]["host"] == "localhost:8000"
    titled = (await get(app, "/titled.json")).json()
    assert titled["info"]["title"] == "My API"
    assert titled["servers"]["production"]["host"] == "h"


async def test_without_an_app_on_starlette() -> None:
    app = Starlette(
        routes=[
            Route("/asyncapi.json", asyncapi_spec_json),
            Mount("/docs", routes=[Route("/asyncapi.yaml", asyncapi_spec_yaml)]),
        ]
    )
    add_websocket_consumer(app, "/ws/{room:str}", PingConsumer)

    document = (await get(app, "/asyncapi.json")).json()
    assert document["info"]["title"] == "AsyncAPI Documentation"
    assert document["channels"]["ping"]["address"] == "/ws/{room}"
    assert "pathname" not in document["servers"]["production"]
    mounted = yaml.safe_load((await get(app, "/docs/asyncapi.yaml")).body)
    assert mounted["servers"] == document["servers"]


async def test_group_messages_need_a_channel_layer(app: FastAPI) -> None:
    """The key that says who sent a group message appears once there can be one."""

    async def properties() -> Any:
        document = (await get(app, "/asyncapi.json")).json()
        return document["components"]["schemas"]["PongMessage"]["properties"]

    assert "is_current" not in await properties()
    register_layers({"default": memory_layer()})
    try:
        assert "is_current" in await properties()
    finally:
        unregister_channel_layer("default")


async def test_paths_in_front_of_an_application(app: FastAPI) -> None:
    outer = Starlette(routes=[Mount("/inner", app=app)])

    behind_a_proxy = (await get(app, "/asyncapi.json", root_path="/proxied")).json()
    mounted = (await get(outer, "/inner/asyncapi.json")).json()

    assert behind_a_proxy["servers"]["production"]["pathname"] == "/proxied"
    assert mounted["servers"]["production"]["pathname"] == "/inner"


async def test_a_servers_scheme_in_the_configuration_is_its_own(app: FastAPI) -> None:
    @app.get("/own.json")
    async def own(request: Request) -> JSONResponse:
        return await asyncapi_spec_json(request, app, {"server_url": "wss://own.example/base"})

    assert (await get(app, "/own.json")).json()["servers"] == {
        "production": {"host": "own.example", "protocol": "wss", "pathname": "/base"}
    }


async def test_the_page_and_its_stylesheet(app: FastAPI) -> None:
    page = await get(app, "/asyncapi")
    style = await get(app, "/asyncapi?asset=style.css")
    missing = await get(app, "/asyncapi?asset=../views.py")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert b"<title>Chat</title>" in page.body
    assert page.body.decode() == docs_page((await get(app, "/asyncapi.json")).json())
    assert "immutable" in style.headers["cache-control"]
    assert b"?asset=style.css" in page.body
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert style.body
    assert missing.status == 404


@pytest.mark.parametrize("path", ["/asyncapi", "/asyncapi.json", "/asyncapi.yaml"])
async def test_a_failure_is_logged_and_not_told(
    app: FastAPI, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("chanx.fast_channels.views.publish", fail)
    answer = await get(app, path)

    assert answer.status == 500
    assert b"secret" not in answer.body
    assert b"Failed to generate schema" in answer.body
    assert caplog.text.count("AsyncAPI document could not be written") == 1
    assert "a secret" in caplog.text


async def test_options_of_the_single_package_are_ignored(app: FastAPI) -> None:
    @app.get("/own")
    async def own(request: Request) -> JSONResponse:
        return await asyncapi_spec_json(
            request, app, {"title": "Own", "docs_js_url": "https://cdn.example/x.js"}
        )

    with pytest.warns(UserWarning, match="docs_js_url, which is ignored: the page of"):
        answer = await get(app, "/own")
    assert answer.json()["info"]["title"] == "Own"


async def test_neither_request_nor_app_is_a_failure() -> None:
    assert (await asyncapi_spec_json()).status_code == 500


async def test_a_plain_websocket_does_not_break_the_document(app: FastAPI) -> None:
    @app.websocket("/plain")
    async def plain(websocket: Any) -> None: ...

    assert list((await get(app, "/asyncapi.json")).json()["channels"]) == ["ping"]


CONSUMER_ALONE = """
import sys
sys.modules["chanx.asyncapi"] = None
import chanx.fast_channels, chanx.ext.fast_channels
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.fast_channels.routing import add_websocket_consumer
for package in (chanx.fast_channels, chanx.ext.fast_channels):
    assert "asyncapi_docs" in dir(package) or package is chanx.ext.fast_channels
    try:
        package.asyncapi_docs
    except ImportError as error:
        assert 'pip install "chanx-fastchannels[asyncapi]"' in str(error), error
    else:
        raise AssertionError("imported")
"""


def test_consumers_alone_need_no_extra() -> None:
    subprocess.run([sys.executable, "-c", CONSUMER_ALONE], check=True)
