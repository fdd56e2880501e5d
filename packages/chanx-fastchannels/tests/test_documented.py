"""Examples of the reference documents that no application of the repository has as they are written there."""

import logging
import os
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from fast_channels.layers import unregister_channel_layer
from fastapi import FastAPI
from pydantic import BaseModel

from chanx.core.decorators import channel, ws_handler
from chanx.fast_channels.layers import memory_layer, register_layers
from chanx.fast_channels.routing import add_websocket_consumer
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import WebsocketCommunicator


@pytest.fixture(autouse=True)
async def layer() -> AsyncIterator[None]:
    register_layers({"default": memory_layer()})
    yield
    unregister_channel_layer("default")


class BaseConsumer(AsyncJsonWebsocketConsumer):
    # Message handling
    camelize = False
    discriminator_field = "action"
    send_completion = False
    send_message_immediately = True

    # Logging
    log_websocket_message = False
    log_ignored_actions = []  # noqa: RUF012 - as documented

    # Channel layer
    channel_layer_alias = "default"

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


OPTIONS = [
    "camelize",
    "discriminator_field",
    "send_completion",
    "send_message_immediately",
    "log_websocket_message",
    "log_ignored_actions",
    "channel_layer_alias",
]


async def test_all_options_at_their_defaults() -> None:
    """The configuration example changes nothing."""
    for option in OPTIONS:
        written, default = (
            getattr(BaseConsumer, option),
            getattr(AsyncJsonWebsocketConsumer, option),
        )
        assert written == default or list(written) == list(default)
    async with WebsocketCommunicator(BaseConsumer.as_asgi(), "/ws", consumer=BaseConsumer) as ws:
        await ws.send_message(PingMessage())
        assert await ws.receive_json_from() == {"action": "pong", "payload": None}


@pytest.mark.parametrize(
    ("ignored", "logged"), [([], ["ping", "pong"]), (["ping"], ["pong"]), (["ping", "pong"], [])]
)
async def test_ignored_actions_are_not_logged(
    caplog: pytest.LogCaptureFixture, ignored: list[str], logged: list[str]
) -> None:
    caplog.set_level(logging.INFO)

    class Logging(BaseConsumer):
        log_websocket_message = True
        log_ignored_actions = ignored

    async with WebsocketCommunicator(Logging.as_asgi(), "/ws", consumer=Logging) as ws:
        await ws.send_message(PingMessage())
        await ws.receive_message()

    records = [vars(record) for record in caplog.records if "Websocket" in record.getMessage()]
    assert [record.get("sent_action", record["action"]) for record in records] == logged


@pytest.mark.parametrize(
    ("environment", "completion", "log"),
    [({}, False, True), ({"SEND_COMPLETION": "1", "LOG_WEBSOCKET": ""}, True, False)],
    ids=["unset", "set"],
)
def test_options_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], completion: bool, log: bool
) -> None:
    """As documented: whatever is not empty is true."""
    for name in ("SEND_COMPLETION", "LOG_WEBSOCKET"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    class FromEnvironment(AsyncJsonWebsocketConsumer):
        send_completion = bool(os.environ.get("SEND_COMPLETION", False))
        log_websocket_message = bool(os.environ.get("LOG_WEBSOCKET", True))

    assert FromEnvironment().should_send_completion is completion
    assert FromEnvironment().log_websocket_message is log


async def test_an_error_is_logged_once_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And the client is not told its text."""

    class Failing(AsyncJsonWebsocketConsumer):
        @ws_handler
        async def handle_ping(self, message: PingMessage) -> PongMessage:
            raise ValueError("secret")

    async with WebsocketCommunicator(Failing.as_asgi(), "/ws", consumer=Failing) as ws:
        await ws.send_message(PingMessage())
        text = await ws.receive_from()

    (error,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert error.exc_info is not None
    assert error.exc_info[0] is ValueError
    assert error.exc_info[2] is not None
    assert "secret" not in text


# The second versions of the echo and of the room


class TextPayload(BaseModel):
    message: str


class SystemMessage(BaseMessage):
    action: Literal["system"] = "system"
    payload: TextPayload


class SystemEchoMessage(BaseMessage):
    action: Literal["system_echo"] = "system_echo"
    payload: str


@channel(name="system_chat", description="Direct WebSocket messaging")
class SystemMessageConsumer(AsyncJsonWebsocketConsumer):
    # No channel_layer_alias - uses direct WebSocket

    @ws_handler(summary="Echo system message")
    async def handle_system_message(self, message: SystemMessage) -> SystemEchoMessage:
        return SystemEchoMessage(payload=f"SYSTEM ECHO: {message.payload.message}")


async def test_the_second_echo() -> None:
    unregister_channel_layer("default")  # it needs none
    application = SystemMessageConsumer.as_asgi()
    async with WebsocketCommunicator(application, "/ws", consumer=SystemMessageConsumer) as ws:
        await ws.send_message(SystemMessage(payload=TextPayload(message="hello")))
        assert await ws.receive_message() == SystemEchoMessage(payload="SYSTEM ECHO: hello")


class RoomMessage(BaseMessage):
    action: Literal["room"] = "room"
    payload: TextPayload


class RoomNotificationMessage(BaseMessage):
    action: Literal["room_notification"] = "room_notification"
    payload: str


@channel(name="room_chat", description="Dynamic room-based chat")
class RoomChatConsumer(BaseConsumer):
    async def post_authentication(self) -> None:
        # Extract room from WebSocket path
        room_name = self.scope["path_info"].split("/")[-1]
        await self.join_group(f"room_{room_name}")

    @ws_handler(summary="Send message to room", output_type=RoomNotificationMessage)
    async def handle_room_message(self, message: RoomMessage) -> None:
        room_name = self.scope["path_info"].split("/")[-1]
        await self.broadcast_message(
            RoomNotificationMessage(payload=f"[{room_name}] {message.payload.message}"),
            groups=[f"room_{room_name}"],
        )


@channel(name="room_chat", description="Dynamic room-based chat")
class RoomByHookConsumer(RoomChatConsumer):
    async def post_authentication(self) -> None: ...

    async def get_groups(self) -> list[str]:
        room_name = self.scope["path_info"].split("/")[-1]
        return [f"room_{room_name}"]


@pytest.mark.parametrize("consumer", [RoomChatConsumer, RoomByHookConsumer])
async def test_the_second_room(consumer: Any) -> None:
    """On a sub-application that is mounted at /ws."""
    app, ws_router = FastAPI(), FastAPI()
    add_websocket_consumer(ws_router, "/room/{room_name}", consumer)
    app.mount("/ws", ws_router)

    async with (
        WebsocketCommunicator(app, "/ws/room/lobby", consumer=consumer) as ada,
        WebsocketCommunicator(app, "/ws/room/lobby", consumer=consumer) as grace,
        WebsocketCommunicator(app, "/ws/room/attic", consumer=consumer) as eve,
    ):
        for ws in (ada, grace, eve):
            await ws.send_message(PingMessage())
            await ws.receive_message()
        await ada.send_message(RoomMessage(payload=TextPayload(message="hello")))
        await eve.send_message(RoomMessage(payload=TextPayload(message="hi")))

        heard = [await ws.receive_message() for ws in (ada, grace, eve)]

    assert [message.payload for message in heard] == [
        "[lobby] hello",
        "[lobby] hello",
        "[attic] hi",
    ]
