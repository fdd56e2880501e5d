"""Putting consumers at addresses, and finding them again."""

from typing import Any, Literal

import pytest
from fast_channels.consumer import AsyncJsonWebsocketConsumer as OtherConsumer
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from litestar import Litestar, asgi
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Host, Mount, Route, Router, WebSocketRoute

from chanx.asyncapi import Parameter
from chanx.core.decorators import ws_handler
from chanx.fast_channels.discovery import discover_routes
from chanx.fast_channels.routing import add_websocket_consumer
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import WebsocketCommunicator


class PingConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


class RoomMessage(BaseMessage):
    action: Literal["room"] = "room"
    payload: str


class RoomConsumer(PingConsumer):
    emits = (RoomMessage,)

    async def post_authentication(self) -> None:
        params = self.scope["path_params"]
        await self.send_message(RoomMessage(payload=f"{params['room']} {params['line']}"))


class Middleware:
    """Wraps an application the way Starlette's middleware does."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def addresses(app: Any) -> list[str]:
    return [route.address for route in discover_routes(app)]


async def accepted_at(app: Any, path: str) -> bool:
    """Tell whether a WebSocket to that path is accepted."""
    scope: dict[str, Any] = {
        "type": "websocket",
        "path": path,
        "root_path": "",
        "headers": [],
        "query_string": b"",
    }
    incoming = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
    sent: list[Any] = []

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(event: Any) -> None:
        sent.append(event["type"])

    await app(scope, receive, send)
    return "websocket.accept" in sent


@pytest.mark.parametrize("kind", [FastAPI, Starlette, Router, APIRouter])
async def test_a_consumer_on_any_application_or_router(kind: Any) -> None:
    app = kind()
    add_websocket_consumer(app, "/ws/{room}", PingConsumer)

    (route,) = discover_routes(app)
    assert route.address == "/ws/{room}"
    assert route.parameters == (Parameter("room", "str"),)
    assert route.consumer is PingConsumer
    if kind is not APIRouter:  # which answers only where an application includes it
        assert await accepted_at(app, "/ws/lobby")


async def test_a_consumer_on_litestar() -> None:
    """With its parameters in the scope, its name, and its place in the document."""
    app = Litestar()
    add_websocket_consumer(app, "/ws/{room}/{line:int}", RoomConsumer)
    add_websocket_consumer(app, "/other", PingConsumer, name="second")
    app.register(asgi("/by-hand", copy_scope=True)(PingConsumer.as_asgi()))

    found = {route.address: route for route in discover_routes(app)}
    assert set(found) == {"/ws/{room}/{line}", "/other", "/by-hand"}
    assert found["/ws/{room}/{line}"].parameters == (
        Parameter("room", "str"),
        Parameter("line", "int"),
    )
    assert found["/ws/{room}/{line}"].consumer is RoomConsumer
    assert app.route_reverse("second") == "/other"
    async with WebsocketCommunicator(app, "/ws/lobby/7", consumer=RoomConsumer) as ws:
        assert await ws.receive_message() == RoomMessage(payload="lobby 7")
    async with WebsocketCommunicator(app, "/by-hand", consumer=PingConsumer) as ws:
        await ws.send_message(PingMessage())
        assert await ws.receive_message() == PongMessage()


def test_what_is_no_application() -> None:
    """Says how any other framework is given a consumer."""
    with pytest.raises(TypeError, match=r"PingConsumer\.as_asgi\(\)"):
        add_websocket_consumer(object(), "/ws", PingConsumer)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("kind", [FastAPI, APIRouter])
def test_dependencies_of_a_router_are_not_lost_silently(kind: Any) -> None:
    """A router that asks for something asks the consumer to say the same, or that it needs nothing."""
    guarded = kind(dependencies=[Depends(lambda: None)])
    with pytest.raises(TypeError, match=r"PingConsumer needs as its attribute 'dependencies"):
        add_websocket_consumer(guarded, "/ws", PingConsumer)

    class OpenConsumer(PingConsumer):
        dependencies = []  # noqa: RUF012 - as FastAPI writes it

    add_websocket_consumer(guarded, "/ws", OpenConsumer)
    assert addresses(guarded) == ["/ws"]


@pytest.mark.parametrize(
    "wrong", [PingConsumer.as_asgi(), PingConsumer()], ids=["as_asgi", "instance"]
)
def test_the_class_is_what_is_routed(wrong: Any) -> None:
    for app in (Starlette(), Litestar()):
        with pytest.raises(
            TypeError, match=r"takes a consumer class for '/ws', .*: write PingConsumer\."
        ):
            add_websocket_consumer(app, "/ws", wrong)


def test_a_path_begins_with_a_slash() -> None:
    with pytest.raises(ValueError, match="'ws' of PingConsumer must start with '/': write '/ws'"):
        add_websocket_consumer(APIRouter(prefix="/v1"), "ws", PingConsumer)
    router = APIRouter(prefix="/v1")
    add_websocket_consumer(router, "", PingConsumer)
    assert addresses(router) == ["/v1"]


def test_a_path_is_served_once() -> None:
    """The second consumer of a path would never be reached, whatever its parameters are called."""
    router = APIRouter(prefix="/v1")
    for path in ("/ws/{room}", "/ws/{number:int}", "/ws"):
        add_websocket_consumer(router, path, PingConsumer)
    with pytest.raises(ValueError, match=r"'/v1/ws/\{line\}' is already served by PingConsumer"):
        add_websocket_consumer(router, "/ws/{line}", RoomConsumer)

    assert len(addresses(router)) == 3


async def test_the_ways_of_the_frameworks() -> None:
    """Routes by hand: Starlette's class, FastAPI's router, and applications that still have the method."""
    consumers = FastAPI()
    router = APIRouter()
    router.add_websocket_route("/router", PingConsumer.as_asgi())
    consumers.include_router(router)
    consumers.router.routes.append(WebSocketRoute("/route", PingConsumer.as_asgi()))
    expected = ["/ws/router", "/ws/route"]
    add_route: Any = getattr(consumers, "add_websocket_route", None)
    if add_route is not None:  # gone from current FastAPI
        add_route("/chat", PingConsumer.as_asgi())
        expected.append("/ws/chat")
    app = FastAPI()
    app.mount("/ws", consumers)

    assert addresses(app) == expected
    assert [await accepted_at(app, address) for address in expected] == [True] * len(expected)


def test_a_route_has_a_name() -> None:
    app = Starlette()
    add_websocket_consumer(app, "/a", PingConsumer)
    add_websocket_consumer(app, "/b", PingConsumer, name="second")

    assert app.url_path_for("PingConsumer") == "/a"
    assert app.url_path_for("second") == "/b"


async def test_included_routers_with_their_prefixes() -> None:
    inner = APIRouter(prefix="/rooms/{room}")
    outer = APIRouter()
    app = FastAPI()
    add_websocket_consumer(inner, "/talk/{line:int}", PingConsumer)
    outer.include_router(inner, prefix="/api")
    app.include_router(outer, prefix="/base")

    (route,) = discover_routes(app)
    assert route.address == "/base/api/rooms/{room}/talk/{line}"
    assert route.parameters == (Parameter("room", "str"), Parameter("line", "int"))
    assert await accepted_at(app, "/base/api/rooms/a/talk/1")


async def test_a_prefix_is_in_the_address_where_the_framework_obeys_it() -> None:
    inner, outer = APIRouter(), APIRouter(prefix="/v1")  # early FastAPI forgets it for such routes
    app = FastAPI()
    add_websocket_consumer(inner, "/ws", PingConsumer)
    outer.include_router(inner)
    app.include_router(outer)

    (address,) = addresses(app)
    assert await accepted_at(app, address)


async def test_a_route_that_comes_after_its_router_was_included() -> None:
    router = APIRouter()
    app = FastAPI()
    add_websocket_consumer(router, "/before", PingConsumer)
    app.include_router(router)
    assert addresses(app) == ["/before"]
    add_websocket_consumer(router, "/after", PingConsumer)

    found = addresses(app)
    assert [await accepted_at(app, address) for address in found] == [True] * len(found)


async def test_mounts_with_their_parameters() -> None:
    mounted = FastAPI()
    add_websocket_consumer(mounted, "/ws", PingConsumer)
    app = FastAPI()
    app.mount("/tenants/{tenant}", mounted)
    app.router.routes.append(
        Mount("/plain", routes=[WebSocketRoute("/{path:path}", PingConsumer.as_asgi())])
    )
    app.mount("/alone", PingConsumer.as_asgi())

    assert addresses(app) == ["/tenants/{tenant}/ws", "/plain/{path}", "/alone/"]
    assert await accepted_at(app, "/tenants/a/ws")
    assert await accepted_at(app, "/plain/x/y")
    assert await accepted_at(app, "/alone/")


def test_what_middleware_wraps() -> None:
    mounted = Starlette(routes=[WebSocketRoute("/ws", Middleware(PingConsumer.as_asgi()))])
    app = Starlette(
        routes=[
            Mount("/wrapped", app=Middleware(mounted)),
            Mount("/alone", app=Middleware(PingConsumer.as_asgi())),
            Host("api.example.com", app=mounted),
        ]
    )

    assert addresses(Middleware(app)) == ["/wrapped/ws", "/alone/", "/ws"]


def test_other_routes_are_left_out() -> None:
    app = FastAPI()

    @app.get("/")
    async def page() -> str:
        return ""

    @app.websocket("/plain")
    async def plain(websocket: WebSocket) -> None: ...

    async def endpoint(websocket: WebSocket) -> None: ...

    foreign: list[BaseRoute] = [
        WebSocketRoute("/function", endpoint),
        WebSocketRoute("/foreign", OtherConsumer.as_asgi()),
        Route("/http", page),
        Mount("/files", app=Middleware(endpoint)),
    ]
    app.router.routes.extend(foreign)
    add_websocket_consumer(app, "/ws", PingConsumer)

    assert addresses(app) == ["/ws"]


def test_an_application_without_routes_has_none() -> None:
    assert discover_routes(object()) == ()
