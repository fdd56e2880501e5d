"""The test connection, on a consumer without any framework."""

import asyncio
import json
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from chanx.core.decorators import ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import ConnectionClosedError, WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from chanx.type_defs import ASGIReceive, ASGISend, Scope


class Text(BaseMessage):
    """Some text."""

    action: Literal["text"] = "text"
    payload: str


class Undeclared(BaseMessage):
    """A message that the consumer does not say it sends."""

    action: Literal["undeclared"] = "undeclared"
    payload: None = None


class Consumer(ChanxWebsocketConsumerMixin[Any]):
    """Answers according to the text."""

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        return PongMessage()

    @ws_handler
    async def text(self, message: Text) -> Text:
        """Do as the text says."""
        match message.payload:
            case "close":
                await self.close(4001, "as you wish")
            case "undeclared":
                await self.send_message(Undeclared())
            case "twice":
                await self.send_message(message)
            case _:
                pass
        return message


def connect(path: str = "/ws", **options: Any) -> WebsocketCommunicator:
    """Make a connection to a consumer with these options."""
    consumer: Any = type("Consumer", (Consumer,), options)

    async def application(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        await consumer()(scope, receive, send)

    return WebsocketCommunicator(application, path, consumer=consumer)


async def test_context_manager_connects_and_disconnects() -> None:
    """Nothing is left behind."""
    async with no_leaks(), connect() as ws:
        await ws.send_message(PingMessage())
        assert await ws.receive_message() == PongMessage()


async def test_first_use_connects() -> None:
    """`connect()` may be called, once or more often, or left out."""
    ws = connect()
    await ws.send_message(PingMessage(), ref="1")
    assert await ws.connect() == await ws.connect() == (True, None)
    assert (await ws.receive_json_from())["ref"] == "1"
    await ws.disconnect()


@pytest.mark.parametrize("first", ["message", "text", "wait"])
async def test_waiting_first_connects_where_it_can(first: str) -> None:
    """What comes is received; a connection that was never made has nothing to wait for."""

    async def greet(consumer: Any) -> None:
        await consumer.send_message(PongMessage())

    ws = connect(post_authentication=greet)
    if first == "message":
        assert await ws.receive_message() == PongMessage()
    elif first == "text":
        assert json.loads(await ws.receive_from())["action"] == "pong"
    else:
        await ws.wait()
        assert await ws.receive_message() == PongMessage()
    await ws.disconnect()


async def test_frame_before_the_handshake_is_an_error() -> None:
    """An application that forgets to accept."""

    async def forgetful(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        await send({"type": "websocket.send", "text": "{}"})

    ws = WebsocketCommunicator(forgetful, "/ws", consumer=Consumer)
    with pytest.raises(AssertionError, match="Expected an answer to the handshake, but got"):
        await ws.connect()


async def test_refusal_is_told() -> None:
    """The context manager names the code."""
    ws = connect(allowed_origins=["http://y"])
    ws.scope["headers"].append((b"origin", b"http://x"))
    with pytest.raises(AssertionError, match="refused the connection with code 1000"):
        await ws.__aenter__()


async def test_timeout_leaves_the_application_alone() -> None:
    """After waiting in vain the connection can still be used."""
    async with connect() as ws:
        with pytest.raises(TimeoutError, match=r"Nothing came from the application within 0\.01 s"):
            await ws.receive_from(timeout=0.01)
        assert await ws.receive_all_messages(timeout=0.01) == []
        assert await ws.receive_all_json(timeout=0.01) == []
        await ws.send_message(PingMessage())
        assert await ws.receive_all_json(timeout=0.05) == [{"action": "pong", "payload": None}]


async def test_close_is_told() -> None:
    """Waiting for a frame of a closed connection names code and reason."""
    async with connect() as ws:
        await ws.send_message(Text(payload="close"))
        with pytest.raises(ConnectionClosedError, match="closed with code 4001 'as you wish'") as e:
            await ws.receive_message()
        assert (e.value.code, e.value.reason) == (4001, "as you wish")
        with pytest.raises(AssertionError, match="the application has ended"):
            await ws.receive_message()


async def test_assert_closed_names_what_came_instead() -> None:
    """Another code and another event are told apart."""
    ws = connect()
    await ws.send_message(Text(payload="x"))
    with pytest.raises(
        AssertionError, match=r"Expected the connection to be closed.*websocket\.send"
    ):
        await ws.assert_closed()
    await ws.send_message(Text(payload="close"))
    with pytest.raises(AssertionError, match="Expected close code 4000, but it was 4001"):
        await ws.assert_closed(4000)
    await ws.wait()


async def test_undeclared_message_is_an_error() -> None:
    """What the consumer does not declare cannot be read as a message."""
    async with connect() as ws:
        await ws.send_message(Text(payload="undeclared"))
        with pytest.raises(ValidationError, match="undeclared"):
            await ws.receive_message()


async def test_messages_are_collected_up_to_the_stop() -> None:
    """Completions are left out; a stop of another kind is included."""
    async with connect(send_completion=True) as ws:
        await ws.send_message(Text(payload="twice"))
        await ws.send_message(PingMessage())
        messages = await ws.receive_all_messages()
        assert messages == [Text(payload="twice"), Text(payload="twice")]
        assert await ws.receive_all_messages(stop_action="pong") == [PongMessage()]


async def test_application_error_is_raised_where_the_test_waits() -> None:
    """A crash is neither swallowed nor waited for."""

    async def broken(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        await receive()
        raise ValueError("broken")

    ws = WebsocketCommunicator(broken, "/ws", consumer=Consumer)
    with pytest.raises(ValueError, match="broken"):
        await ws.connect()
    with pytest.raises(ValueError, match="broken"):
        await ws.disconnect()


async def test_application_that_does_not_end_is_ended() -> None:
    """Leaving is bounded."""

    async def endless(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        await send({"type": "websocket.accept"})
        await asyncio.Event().wait()

    ws = WebsocketCommunicator(endless, "/ws", consumer=Consumer)
    await ws.connect()
    async with no_leaks():
        with pytest.raises(TimeoutError, match=r"did not end within 0\.01 s"):
            await ws.disconnect(timeout=0.01)


async def test_handshake_has_a_time_limit() -> None:
    """An application that does not answer it is named, and ended by leaving."""

    async def mute(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        while (await receive())["type"] != "websocket.disconnect":
            pass

    ws = WebsocketCommunicator(mute, "/ws", consumer=Consumer)
    with pytest.raises(TimeoutError, match=r"Nothing came from the application within 0\.01 s"):
        await ws.connect(timeout=0.01)
    await ws.disconnect()


async def test_application_can_be_stopped() -> None:
    """Without a word; what it raised before is raised, unless nobody wants to know."""
    async with no_leaks():
        ws = connect()
        await ws.connect()
        ws.stop()
        with pytest.raises(asyncio.CancelledError):
            await ws.wait()

    async def broken(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        raise ValueError("broken")

    ws = WebsocketCommunicator(broken, "/ws", consumer=Consumer)
    ws.stop()
    with pytest.raises(ValueError, match="broken"):
        await ws.connect()
    with pytest.raises(ValueError, match="broken"):
        ws.stop()
    ws.stop(exceptions=False)


async def test_scope_is_that_of_a_server() -> None:
    """Path and query string are taken apart and decoded."""
    ws = connect("/room/a%20b?token=1%202")
    assert (ws.scope["path"], ws.scope["raw_path"]) == ("/room/a b", b"/room/a%20b")
    assert ws.scope["query_string"] == b"token=1%202"


async def test_leaks_are_found() -> None:
    """A task, a connection and a member are each told."""
    forever, tasks = asyncio.Event(), list[asyncio.Task[bool]]()
    with pytest.raises(AssertionError, match="Tasks left behind"):
        async with no_leaks():
            tasks.append(asyncio.create_task(forever.wait()))
    forever.set()
    await asyncio.gather(*tasks)

    class Layer:
        groups = {"room": {"someone": 1}}  # noqa: RUF012 - as in the layers of Channels

    with pytest.raises(AssertionError, match=r"Group members left behind.*someone"):
        async with no_leaks(Layer()):
            pass
