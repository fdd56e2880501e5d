"""FastAPI's dependencies on handlers and on connections."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Literal

import pytest
from fastapi import (
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Query,
    Request,
    Security,
    WebSocket,
    WebSocketException,
)
from fastapi.security import APIKeyCookie, APIKeyHeader, OAuth2PasswordBearer, SecurityScopes

from chanx.core.authenticator import BaseAuthenticator
from chanx.core.decorators import event_handler, ws_handler
from chanx.fast_channels.dependencies import Handshake
from chanx.fast_channels.layers import memory_layer, register_layers
from chanx.fast_channels.routing import add_websocket_consumer
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from chanx.type_defs import Scope

steps: list[str] = []
oauth2 = OAuth2PasswordBearer("token")


class TellMessage(BaseMessage):
    action: Literal["tell"] = "tell"
    payload: str


class ToldMessage(BaseMessage):
    action: Literal["told"] = "told"
    payload: str


class NewsEvent(BaseMessage):
    action: Literal["news"] = "news"
    payload: str


@pytest.fixture(autouse=True)
async def fresh_steps() -> AsyncIterator[None]:
    steps.clear()
    async with no_leaks():
        yield


async def session() -> AsyncIterator[str]:
    """As a database session: opened, given, closed."""
    steps.append("open")
    try:
        yield "session"
    except ValueError:
        steps.append("rollback")
        raise
    finally:
        steps.append("close")


def locked() -> Iterator[str]:
    """The same, not async."""
    steps.append("lock")
    yield "lock"
    steps.append("unlock")


def room_of(room: str, since: int = 0) -> str:
    """One parameter of the path, and one of the query."""
    return f"{room} since {since}"


async def user_of(token: Annotated[str, Depends(oauth2)]) -> str:
    if token != "good":
        raise HTTPException(401, "Unknown token")
    return "ada"


Session = Annotated[str, Depends(session)]
Room = Annotated[str, Depends(room_of)]
User = Annotated[str, Depends(user_of)]


def served(consumer: Any, path: str = "/ws/{room}") -> FastAPI:
    app = FastAPI()
    add_websocket_consumer(app, path, consumer)
    return app


def connection(
    app: Any, consumer: Any, path: str = "/ws/lobby", **headers: str
) -> WebsocketCommunicator:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return WebsocketCommunicator(app, path, pairs, consumer=consumer)


async def told(ws: WebsocketCommunicator, text: str = "x") -> str:
    """Say something and return the answer."""
    await ws.send_message(TellMessage(payload=text))
    answer: str = (await ws.receive_message()).payload
    return answer


# On handlers


class HandlerConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_tell(
        self,
        message: TellMessage,
        session: Session,
        room: Room,
        websocket: WebSocket,
        request: Request,
        lock: str = Depends(locked),
        agent: Annotated[str, Header(alias="user-agent")] = "nobody",
        flavour: Annotated[str | None, Cookie()] = None,
        since: Annotated[int, Query()] = -1,
        suffix: str = "!",
    ) -> ToldMessage:
        steps.append("handle")
        if message.payload == "fail":
            raise ValueError("secret")
        assert websocket.url.path == request.url.path == "/ws/lobby"
        return ToldMessage(
            payload=f"{session}, {lock}, {room}, {agent}, {flavour}, {since}{suffix}"
        )


async def test_parameters_of_a_handler() -> None:
    """Resolved for each message, with what the path, query, headers and cookies say, and cleaned up behind it."""
    async with connection(
        served(HandlerConsumer),
        HandlerConsumer,
        "/ws/lobby?since=7",
        user_agent="test",
        cookie="flavour=mint",
    ) as ws:
        assert await told(ws) == "session, lock, lobby since 7, test, mint, 7!"
        assert steps == ["open", "lock", "handle", "unlock", "close"]
        await told(ws)
        assert steps.count("open") == steps.count("close") == 2


async def test_clean_up_learns_of_a_failure() -> None:
    """And the client gets the usual answer."""
    async with connection(served(HandlerConsumer), HandlerConsumer) as ws:
        await ws.send_message(TellMessage(payload="fail"))
        error = await ws.receive_json_from()

    assert error["payload"] == {"detail": "Failed to process message for tell"}
    assert steps[-2:] == ["rollback", "close"]


async def test_a_handshake_that_lacks_something() -> None:
    """Is told in an error frame; the value that the client sent is not repeated."""
    async with connection(served(HandlerConsumer), HandlerConsumer, "/ws/lobby?since=never") as ws:
        await ws.send_message(TellMessage(payload="x"))
        (problem,) = (await ws.receive_json_from())["payload"]

    assert problem["type"] == "connection_invalid"
    assert "query since" in problem["msg"]
    assert "never" not in problem["msg"]


async def test_overrides() -> None:
    """`app.dependency_overrides` as in FastAPI's own tests."""
    app = served(HandlerConsumer)
    app.dependency_overrides[session] = lambda: "fake"
    async with connection(app, HandlerConsumer) as ws:
        assert (await told(ws)).startswith("fake, lock")
    assert "open" not in steps


class GuardedConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_tell(self, message: TellMessage, user: User) -> ToldMessage:
        return ToldMessage(payload=user)

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


async def test_a_refused_message() -> None:
    """An HTTPException of a dependency is one error frame, and the connection goes on."""
    app = served(GuardedConsumer)
    async with connection(app, GuardedConsumer, authorization="Bearer bad") as ws:
        await ws.send_message(TellMessage(payload="x"))
        error = await ws.receive_json_from()
        await ws.send_message(PingMessage())
        assert await ws.receive_message() == PongMessage()
    async with connection(app, GuardedConsumer, authorization="Bearer good") as ws:
        assert await told(ws) == "ada"

    (problem,) = error["payload"]
    assert (problem["type"], problem["msg"]) == ("http_401", "Unknown token")


async def test_a_websocket_exception_closes() -> None:
    def over() -> None:
        raise WebSocketException(4000, "It is over")

    class Ending(AsyncJsonWebsocketConsumer):
        @ws_handler
        async def handle_ping(
            self, message: PingMessage, nothing: Annotated[None, Depends(over)]
        ) -> PongMessage:
            raise AssertionError("handled")

    ws = connection(served(Ending), Ending)
    await ws.send_message(PingMessage())
    closed = await ws.receive_output()
    assert (closed["type"], closed["code"], closed["reason"]) == (
        "websocket.close",
        4000,
        "It is over",
    )
    await ws.wait()


async def test_parameters_of_an_event_handler() -> None:
    class Reading(AsyncJsonWebsocketConsumer[NewsEvent]):
        channel_layer_alias = "news"
        groups = ["readers"]  # noqa: RUF012 - the documented way to write it

        @ws_handler
        async def handle_ping(self, message: PingMessage) -> PongMessage:
            return PongMessage()

        @event_handler
        async def handle_news(self, event: NewsEvent, session: Session) -> ToldMessage:
            return ToldMessage(payload=f"{event.payload} in a {session}")

    register_layers({"news": memory_layer()})
    async with connection(served(Reading), Reading) as ws:
        await ws.send_message(PingMessage())
        await ws.receive_message()
        await Reading.broadcast_event(NewsEvent(payload="news"))
        assert (await ws.receive_message()).payload == "news in a session"
    assert steps == ["open", "close"]


async def test_dependencies_cannot_touch_the_socket() -> None:
    async def reading(websocket: WebSocket) -> str:
        with pytest.raises(RuntimeError, match="cannot read from or write to"):
            await websocket.receive()
        return "only looked"

    class Looking(AsyncJsonWebsocketConsumer):
        @ws_handler
        async def handle_tell(
            self, message: TellMessage, looked: Annotated[str, Depends(reading)]
        ) -> ToldMessage:
            return ToldMessage(payload=looked)

    async with connection(served(Looking), Looking) as ws:
        assert await told(ws) == "only looked"


# At class creation


def test_a_parameter_that_nobody_provides() -> None:
    with pytest.raises(TypeError, match="parameter 'stranger' that nothing provides"):

        class Strange(AsyncJsonWebsocketConsumer):  # pyright: ignore[reportUnusedClass] # refused
            @ws_handler
            async def handle_ping(
                self, message: PingMessage, session: Session, stranger: str
            ) -> PongMessage:
                return PongMessage()


def test_a_message_has_no_body() -> None:
    with pytest.raises(TypeError, match=r"'body' of Strange\.handle_ping\(\) reads the body"):

        class Strange(AsyncJsonWebsocketConsumer):  # pyright: ignore[reportUnusedClass] # refused
            @ws_handler
            async def handle_ping(
                self, message: PingMessage, body: Annotated[str, Body()]
            ) -> PongMessage:
                return PongMessage()


def test_what_fastapi_cannot_provide() -> None:
    class Opaque: ...

    with pytest.raises(TypeError, match=r"parameters of Strange\.handle_ping\(\)"):

        class Strange(AsyncJsonWebsocketConsumer):  # pyright: ignore[reportUnusedClass] # refused
            @ws_handler
            async def handle_ping(
                self, message: PingMessage, opaque: Annotated[Opaque, Query()]
            ) -> PongMessage:
                return PongMessage()


# On the connection


def checked(key: Annotated[str, Security(APIKeyHeader(name="x-key"))]) -> None:
    if key != "open sesame":
        raise HTTPException(403, "Wrong key")


class ConnectionConsumer(AsyncJsonWebsocketConsumer):
    dependencies = [Depends(checked)]  # noqa: RUF012 - as FastAPI writes it
    session: Session
    user: str = Depends(user_of)
    rooms: "Room"
    plain: int = 3

    async def post_authentication(self) -> None:
        steps.append(f"let in {self.user}")

    async def disconnect(self, code: int) -> None:
        steps.append(f"leave with a {self.session}")

    @ws_handler
    async def handle_tell(self, message: TellMessage) -> ToldMessage:
        return ToldMessage(
            payload=f"{self.user} in {self.rooms} with a {self.session}, {self.plain}"
        )


async def test_attributes_of_a_connection() -> None:
    """Resolved once, when the client connects; cleaned up when everything else of it has ended."""
    app = served(ConnectionConsumer)
    async with connection(
        app, ConnectionConsumer, authorization="Bearer good", x_key="open sesame"
    ) as ws:
        assert await told(ws) == "ada in lobby since 0 with a session, 3"
        assert await told(ws) == "ada in lobby since 0 with a session, 3"
        assert steps == ["open", "let in ada"]
    assert steps == ["open", "let in ada", "leave with a session", "close"]


@pytest.mark.parametrize(
    ("headers", "code", "reason"),
    [
        ({"authorization": "Bearer bad", "x_key": "open sesame"}, 4401, "Unknown token"),
        ({"authorization": "Bearer good", "x_key": "guess"}, 4403, "Wrong key"),
    ],
)
async def test_a_refused_connection(headers: dict[str, str], code: int, reason: str) -> None:
    """4000 and the HTTP status, with the detail; what had been opened is closed."""
    ws = connection(served(ConnectionConsumer), ConnectionConsumer, **headers)
    await ws.connect()
    await ws.send_message(TellMessage(payload="x"))
    closed = await ws.receive_output()
    await ws.wait()

    assert (closed["code"], closed["reason"]) == (code, reason)
    assert steps in ([], ["open", "close"])


async def test_a_connection_that_lacks_something() -> None:
    class Counting(AsyncJsonWebsocketConsumer):
        since: Annotated[int, Query()]

    ws = connection(served(Counting), Counting)
    await ws.connect()
    await ws.assert_closed(4422)
    await ws.wait()


async def test_a_client_that_leaves_while_it_is_looked_up() -> None:
    """What had been opened is closed."""
    looking = asyncio.Event()

    async def slow(session: Session) -> str:
        looking.set()
        await asyncio.Event().wait()
        return session

    class Slow(AsyncJsonWebsocketConsumer):
        looked_up: Annotated[str, Depends(slow)]

    ws = connection(served(Slow), Slow)
    await ws.connect()
    async with asyncio.timeout(1):
        await looking.wait()
    await ws.disconnect(timeout=1)
    assert steps == ["open", "close"]


async def test_clean_up_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """Is logged; the connection has ended in order."""

    async def breaking() -> AsyncIterator[str]:
        yield "value"
        raise ValueError("while closing")

    class Breaking(GuardedConsumer):
        value: Annotated[str, Depends(breaking)]

    async with connection(served(Breaking), Breaking) as ws:
        await ws.send_message(PingMessage())
        await ws.receive_message()
    assert "Dependencies could not be cleaned up" in caplog.text


async def test_a_dependency_that_fails() -> None:
    """Closes with 4500, as an authenticator that fails."""

    def failing() -> str:
        raise ValueError("secret")

    class Failing(AsyncJsonWebsocketConsumer):
        value: Annotated[str, Depends(failing)]

    ws = connection(served(Failing), Failing)
    await ws.connect()
    await ws.assert_closed(4500)
    await ws.wait()


async def test_refused_before_the_handshake_is_accepted() -> None:
    class Early(ConnectionConsumer):
        authenticate_before_accept = True

    ws = connection(served(Early), Early, authorization="Bearer bad", x_key="open sesame")
    assert await ws.connect() == (False, 4401)
    await ws.wait()


async def test_overrides_of_a_connection() -> None:
    app = served(ConnectionConsumer)
    app.dependency_overrides[checked] = lambda: None
    app.dependency_overrides[user_of] = lambda: "grace"
    async with connection(app, ConnectionConsumer) as ws:
        assert (await told(ws)).startswith("grace in lobby")


async def test_a_subclass_may_do_without() -> None:
    """An attribute that is annotated as something else is no dependency any more."""

    class Without(ConnectionConsumer):
        dependencies = []  # noqa: RUF012 - as FastAPI writes it
        user: str = "nobody"

    async with connection(served(Without), Without) as ws:
        assert (await told(ws)).startswith("nobody in lobby")


async def test_scopes_of_a_security_dependency() -> None:
    def scopes(security: SecurityScopes) -> str:
        return security.scope_str

    class Scoped(AsyncJsonWebsocketConsumer):
        @ws_handler
        async def handle_tell(
            self, message: TellMessage, found: Annotated[str, Security(scopes, scopes=["a", "b"])]
        ) -> ToldMessage:
            return ToldMessage(payload=found)

    async with connection(served(Scoped), Scoped) as ws:
        assert await told(ws) == "a b"


async def test_without_fastapi_around() -> None:
    """On a bare ASGI application there is no path and nothing is overridden."""

    class Bare(AsyncJsonWebsocketConsumer):
        @ws_handler
        async def handle_tell(self, message: TellMessage, session: Session) -> ToldMessage:
            return ToldMessage(payload=session)

    async with connection(Bare.as_asgi(), Bare) as ws:
        assert await told(ws) == "session"


# In an authenticator


class BearerOrCookie(BaseAuthenticator):
    """FastAPI's security classes read the handshake."""

    async def authenticate(self, scope: Scope) -> bool:
        handshake = Handshake(scope)
        token = await OAuth2PasswordBearer("token", auto_error=False)(handshake)
        cookie = await APIKeyCookie(name="session", auto_error=False)(handshake)
        self.status_code = 401
        return "good" in (token, cookie)


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        ({"authorization": "Bearer good"}, True),
        ({"cookie": "session=good"}, True),
        ({"authorization": "Bearer bad"}, False),
        ({}, False),
    ],
)
async def test_security_classes_in_an_authenticator(
    headers: dict[str, str], admitted: bool
) -> None:
    class Secured(GuardedConsumer):
        authenticator_class = BearerOrCookie

    ws = connection(served(Secured), Secured, **headers)
    await ws.connect()
    if admitted:
        await ws.send_message(PingMessage())
        assert await ws.receive_message() == PongMessage()
        await ws.disconnect()
    else:
        await ws.assert_closed(4401)
        await ws.wait()
