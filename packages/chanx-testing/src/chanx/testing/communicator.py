"""The typed side of a test connection: messages in and out of a consumer."""

import asyncio
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from chanx.constants import COMPLETE_ACTIONS, MESSAGE_ACTION_COMPLETE
from chanx.core import _guard as _guard
from chanx.core.codec import Codec, InvalidFrameError, WireFormat, with_ref
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.testing.socket import Application, WebsocketConnection
from chanx.type_defs import JSONObject

__all__ = ["WebsocketCommunicator", "WebsocketCommunicatorMixin"]

# Servers are limited by their settings; a test reads whatever they send.
_MAX_DEPTH = 200


class WebsocketCommunicatorMixin:
    """Sends and receives the messages of `consumer` over a raw connection, in the consumer's wire format."""

    consumer: type[ChanxWebsocketConsumerMixin[Any]]

    if TYPE_CHECKING:
        # From the raw connection.
        async def send_to(
            self, text_data: str | None = None, bytes_data: bytes | None = None
        ) -> None: ...
        async def receive_from(self, timeout: float | None = 1) -> str: ...

    async def send_message(self, message: BaseMessage, *, ref: str | None = None) -> None:
        """Send a message as a client would; answers carry the same `ref`."""
        await self.send_to(text_data=with_ref(self._codec().encode(message), ref))

    async def receive_message(self, timeout: float | None = 1) -> BaseMessage:
        """Return the next message.

        Raises ValidationError for one that the consumer does not declare, TimeoutError when nothing came.
        """
        return self._decoded(await self.receive_from(timeout))

    async def receive_all_json(self, timeout: float = 1) -> list[JSONObject]:
        """Collect frames until the time is over."""
        frames: list[JSONObject] = []
        try:
            async with asyncio.timeout(timeout):
                while True:
                    frames.append(from_json(await self.receive_from(None)))
        except TimeoutError:
            return frames

    async def receive_all_messages(
        self, stop_action: str = MESSAGE_ACTION_COMPLETE, timeout: float = 1
    ) -> list[BaseMessage]:
        """Collect messages up to the one with `stop_action`, or until the time is over.

        Completion messages are left out; a stop message of another kind is included.
        """
        messages: list[BaseMessage] = []
        try:
            async with asyncio.timeout(timeout):
                while True:
                    message = await self.receive_message(None)
                    if message.action not in COMPLETE_ACTIONS:
                        messages.append(message)
                    if message.action == stop_action:
                        return messages
        except TimeoutError:
            return messages

    def _decoded(self, text: str) -> BaseMessage:
        try:
            message, _ = self._codec().decode(text)
            return message
        except InvalidFrameError as error:
            raise error.error from None

    def _codec(self) -> Codec:
        """Return the consumer's codec the other way round: a client reads what the consumer sends."""
        consumer = self.consumer
        wire = WireFormat(
            discriminator_field=consumer.discriminator_field, camelize=consumer.camelize
        )
        spec = consumer.spec
        return Codec(spec.outgoing_messages, spec.incoming_messages, wire, max_depth=_MAX_DEPTH)


class WebsocketCommunicator(WebsocketCommunicatorMixin, WebsocketConnection):
    """One typed WebSocket to any ASGI application that serves `consumer` at `path`."""

    def __init__(
        self,
        application: Application,
        path: str,
        headers: list[tuple[bytes, bytes]] | None = None,
        subprotocols: list[str] | None = None,
        spec_version: int | None = None,
        *,
        consumer: type[ChanxWebsocketConsumerMixin[Any]],
    ) -> None:
        super().__init__(application, path, headers, subprotocols, spec_version)
        self.consumer = consumer
