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
from chanx_conformance.models import ChatMessage, ChatPayload, FailMessage, NewsEvent, WaitMessage

__all__ = [
    "Admits",
    "Answering",
    "Basic",
    "Broadcaster",
    "Crashes",
    "Denies",
    "Hangs",
    "HookByHook",
    "Overriding",
    "Telling",
]


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


class Basic(Answering):
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

    @ws_handler
    async def fail(self, message: FailMessage) -> PongMessage:
        """Go wrong."""
        match message.payload:
            case "cancelled":
                raise asyncio.CancelledError
            case "dict":
                return cast(PongMessage, {"action": "pong"})
            case "unserialisable":
                return PongMessage.model_construct(payload=cast(None, object()))
            case text:
                raise ValueError(f"secret {text}")

    @event_handler
    async def news(self, event: NewsEvent) -> ChatMessage:
        """Pass it on as chat."""
        if event.payload == "broken":
            raise ValueError("secret")
        return ChatMessage(payload=ChatPayload(user_name=event.payload))


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
