"""Something else than a consumer declares and handles messages: what a part of a connection needs."""

import json
from typing import Any, Literal

from chanx.core._connection.connection import Connection
from chanx.core._connection.dispatcher import FrameDispatcher
from chanx.core._connection.handler_runner import HandlerRunner
from chanx.core._endpoint import MessageEndpoint
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.exceptions import MessageError
from chanx.core.guards import DeniedError, Guard
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import WebsocketCommunicator
from chanx.type_defs import JSONObject


class SayMessage(BaseMessage):
    """A text."""

    action: Literal["say"] = "say"
    payload: str


class NewsEvent(BaseMessage):
    """An event."""

    action: Literal["news"] = "news"
    payload: str


class Decent(Guard):
    """Denies one word."""

    async def check(self, consumer: Any, message: BaseMessage) -> None:
        """Look for it."""
        if message.payload == "bad":
            raise DeniedError


class Room(MessageEndpoint):
    """A part of a connection with handlers of its own, whose frames carry its name."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        codec = self.spec.codec(self.spec.wire_format)
        runner: HandlerRunner = connection.runner_for(self, codec, writes_results=False)
        self._frames = FrameDispatcher(self, connection, codec, connection.outlet, runner)

    async def _write(self, message: BaseMessage) -> None:
        """Write a message under the name."""
        text = self._codec.encode(message)
        await self._connection.send_text(f'{text[:-1]},"room":"{self._name}"}}', message.action)

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the connection."""
        await self._connection.close(code, reason)

    @ws_handler(guards=[Decent()])
    async def say(self, message: SayMessage) -> SayMessage:
        """Say it back, or fail as it is told."""
        if message.payload == "full":
            raise MessageError("full", "No room")
        if message.payload == "crash":
            raise ValueError("secret")
        return message

    @event_handler
    async def news(self, event: NewsEvent) -> SayMessage:
        """Pass it on."""
        return SayMessage(payload=event.payload)


class House(ChanxWebsocketConsumerMixin[Any]):
    """Passes the frames of its one room on."""

    room: Room

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        await self.room.receive_event(NewsEvent(payload="pinged"))
        return PongMessage()

    async def post_authentication(self) -> None:
        """Open the room."""
        self.room = Room(self._connection, "hall")

    async def handle_json(self, content: JSONObject, **kwargs: Any) -> None:
        """Tell the frames of the room from those of the consumer."""
        if content.pop("room", None) is None:
            await super().handle_json(content)
        else:
            await self.room.handle_json(content)


async def test_a_part_of_a_connection_handles_messages() -> None:
    """With guards, errors, references and events, as a consumer does."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await House()(scope, receive, send)

    async with WebsocketCommunicator(application, "/ws", consumer=House) as ws:

        async def ask(payload: object) -> Any:
            frame = {"action": "say", "payload": payload, "ref": "7", "room": "hall"}
            await ws.send_to(text_data=json.dumps(frame))
            answer = await ws.receive_json_from()
            assert (answer.pop("ref"), answer.pop("version")) == ("7", 1)
            assert answer.pop("room") == "hall"
            return answer

        assert await ask("hello") == {"action": "say", "payload": "hello"}
        for payload, code in [("bad", "permission_denied"), ("full", "full"), (1, "string_type")]:
            assert [item["type"] for item in (await ask(payload))["payload"]] == [code]
        assert (await ask("crash"))["payload"] == {"detail": "Failed to process message for say"}
        await ws.send_message(PingMessage())
        pushed = {"action": "say", "payload": "pinged", "room": "hall"}
        assert await ws.receive_json_from() == pushed
        assert await ws.receive_message() == PongMessage()
