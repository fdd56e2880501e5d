"""The consumers and authenticators that several subjects use."""

import asyncio
from abc import ABC
from typing import Any, ClassVar, cast

from chanx.core.authenticator import BaseAuthenticator
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import AuthenticationMessage, AuthenticationPayload, PongMessage
from chanx.type_defs import Scope
from chanx_conformance.models import (
    ChatMessage,
    ChatPayload,
    FailMessage,
    NewsEvent,
    SayMessage,
    WaitMessage,
)

__all__ = [
    "RAISED",
    "RETURNED",
    "Admits",
    "Answering",
    "Basic",
    "Broadcaster",
    "Crashes",
    "Denies",
    "Fragile",
    "Hangs",
    "HookByHook",
    "Overriding",
    "Speaking",
    "Telling",
]


class Endless:
    """An object that never ends when it is written."""

    def __init__(self) -> None:
        self.inner = self


RAISED: dict[str, BaseException] = {
    "value": ValueError("secret"),
    "timeout": TimeoutError("secret"),
    "cancelled": asyncio.CancelledError("secret"),
    "group": ExceptionGroup("secret", [ValueError("secret")]),
    "os": ConnectionResetError("secret"),
}
"""What a handler raises, by the name of the way."""
RETURNED: dict[str, Any] = {
    "dict": {"action": "pong", "payload": "secret"},
    "text": "secret",
    "class": PongMessage,
    "model": ChatPayload.model_construct(user_name="secret"),
    "unserialisable": PongMessage.model_construct(payload=cast(None, object())),
    "endless": PongMessage.model_construct(payload=cast(None, Endless())),
}
"""What a handler returns that is no message, or cannot be written."""


class Answering(ChanxWebsocketConsumerMixin[Any]):
    """Answers pings, and holds what handlers share with the test."""

    gate: ClassVar[asyncio.Event]
    """Opened by the test."""
    entered: ClassVar[asyncio.Event]
    """Set by a handler that is about to wait for the gate."""
    handled: ClassVar[list[Any]]
    """What handlers and hooks have noted."""

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        self.handled.append("ping")
        return PongMessage()


class Fragile(Answering):
    """Fails on request."""

    @ws_handler
    async def fail(self, message: FailMessage) -> PongMessage:
        """Fail in the way that the client asks for."""
        way = message.payload
        if way in RETURNED:
            return cast(PongMessage, RETURNED[way])
        if way == "recursion":
            return await self.fail(message)
        raise RAISED.get(way) or ValueError(f"secret {way}")


class Basic(Fragile):
    """Handlers that most tests need."""

    groups: list[str] = ["lobby"]  # noqa: RUF012 - the documented way to write it

    @ws_handler
    async def chat(self, message: ChatMessage) -> ChatMessage | None:
        """Say it back."""
        return message

    @ws_handler
    async def wait(self, message: WaitMessage) -> WaitMessage | None:
        """Answer when the gate opens."""
        self.handled.append(message.payload)
        await self.gate.wait()
        return message

    @event_handler
    async def news(self, event: NewsEvent) -> ChatMessage:
        """Pass it on as chat."""
        if event.payload == "broken":
            raise ValueError("secret")
        return ChatMessage(payload=ChatPayload(user_name=event.payload))


class Speaking(Answering):
    """Repeats what is said to it, and passes events on."""

    groups: list[str] = ["lobby"]  # noqa: RUF012 - the documented way to write it

    @ws_handler
    async def say(self, message: SayMessage) -> SayMessage | None:
        """Say it back, or fail."""
        if message.payload == "fail":
            raise ValueError("secret")
        return message

    @event_handler(
        output_type=SayMessage, summary="News", description="What is new.", tags=["news"]
    )
    async def news(self, event: NewsEvent) -> None:
        """Pass it on, or fail."""
        if event.payload == "fail":
            raise ValueError("secret")
        await self.send_message(SayMessage(payload=event.payload))


class Broadcaster(Basic):
    """Sends what is said to everybody."""

    @ws_handler(output_type=ChatMessage)
    async def chat(self, message: ChatMessage) -> None:
        """Broadcast."""
        await self.broadcast_message(message, exclude_current=message.payload.user_name == "quiet")


class HookByHook(ChanxWebsocketConsumerMixin[Any]):
    """Overrides a hook on each stretch without changing anything, so that frames take the long way."""

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        """Pass on."""
        await super().receive_json(content, **kwargs)

    async def receive_message(self, message: BaseMessage) -> None:
        """Pass on."""
        await super().receive_message(message)

    async def send_json(self, content: dict[str, Any], close: bool = False) -> None:
        """Pass on."""
        await super().send_json(content, close)


class Overriding(HookByHook, Basic):
    """Does the same with hooks on the way."""


class Telling(BaseAuthenticator, ABC):
    """Tells the client its decision."""

    status_code: int | None = None

    async def tell(self, status: int) -> bool:
        """Send the authentication message, where the consumer wants it sent."""
        self.status_code = status
        assert self.consumer is not None
        if self.consumer.send_authentication_message:
            payload = AuthenticationPayload(status_code=status, status_text="told")
            await self.send_message(AuthenticationMessage(payload=payload))
        return status == 200


class Denies(Telling):
    """Lets nobody in, after a while."""

    async def authenticate(self, scope: Scope) -> bool:
        """Deny."""
        await asyncio.sleep(0.02)
        return await self.tell(403)


class Admits(Telling):
    """Lets everybody in, after a while."""

    async def authenticate(self, scope: Scope) -> bool:
        """Allow."""
        await asyncio.sleep(0.02)
        return await self.tell(200)


class Crashes(BaseAuthenticator):
    """Goes wrong."""

    async def authenticate(self, scope: Scope) -> bool:
        """Raise."""
        raise ValueError("secret")


class Hangs(BaseAuthenticator):
    """Never decides."""

    async def authenticate(self, scope: Scope) -> bool:
        """Wait for ever."""
        await asyncio.Event().wait()
        return True
