"""Handling what reaches a consumer: one client frame, one layer message."""

import asyncio
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from pydantic import ValidationError
from structlog.contextvars import bound_contextvars

from chanx.core._errors import InvalidFrameError, malformed
from chanx.core._exchange import Exchange, Exchanges
from chanx.core.codec import Codec
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import CompleteMessage
from chanx.type_defs import ASGIEvent, EventPayload, GroupMessageEvent, JSONObject
from chanx.utils.logging import logger

if TYPE_CHECKING:
    from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["FrameDispatcher", "LayerDispatcher"]

# A message on the layer may only ask for these: any other method of a consumer is out of its reach.
LAYER_TYPES = frozenset({"handle_group_message", "handle_channel_event"})


class FrameDispatcher:
    """Takes one client frame at its turn through decoding, handler and answer.

    The consumer's documented hooks are called in their order. Where a class overrides none between the socket and
    `receive_message()`, the frame goes from text to message in one step.
    """

    def __init__(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", codec: Codec, exchanges: Exchanges
    ) -> None:
        self._consumer = consumer
        self._codec = codec
        self._exchanges = exchanges
        self._shortcuts = type(consumer).shortcuts
        self._handlers = type(consumer).spec.handlers.messages
        self._hold = not consumer.send_message_immediately
        self._before = type(consumer).before_dispatch

    async def handle(self, event: ASGIEvent) -> None:
        """Handle one `websocket.receive` event. Raises nothing but cancellation."""
        exchange = self._exchanges.begin(hold=self._hold)
        try:
            if self._before is not None:
                await self._before()
            if self._shortcuts.receive:
                await self._handle_text(text_of(event), exchange)
            else:
                await self._consumer.websocket_receive(event)
        except InvalidFrameError as error:
            await self.reject(error)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            await self._contain(error)
        finally:
            self._exchanges.end()
            if exchange.held:
                await self._consumer.connection.send_texts(exchange.held)

    async def _handle_text(self, text: str, exchange: Exchange) -> None:
        incoming = self._codec.decode(text)
        exchange.ref = incoming.ref
        if self._consumer.log_websocket_message:
            with bound_contextvars(
                message_id=uuid4().hex[:8], received_action=incoming.message.action
            ):
                self.log_received(incoming.message.action)
                await self.answer(incoming.message)
        else:
            await self.answer(incoming.message)

    async def handle_object(self, content: JSONObject) -> None:
        """Go on from parsed JSON: the body of `receive_json()`."""
        message, ref = self._codec.envelope(content)
        exchange = self._exchanges.current()
        if exchange is not None:
            exchange.ref = ref
        action = message.get(self._codec.wire.discriminator_field)
        if not self._consumer.log_websocket_message:
            await self._consumer.handle_json(message)
            return
        with bound_contextvars(message_id=uuid4().hex[:8], received_action=action):
            self.log_received(action)
            await self._consumer.handle_json(message)

    async def handle_message_object(self, content: JSONObject) -> None:
        """Go on from a message without envelope: the body of `handle_json()`."""
        await self.answer(self._codec.decode_object(content).message)

    async def answer(self, message: BaseMessage) -> None:
        """Run the handler and mark the end of the exchange."""
        if self._shortcuts.dispatch:
            await self.run_handler(message)
        else:
            await self._consumer.receive_message(message)
        await self._complete()

    async def run_handler(self, message: BaseMessage) -> None:
        """Call the message's handler and send what it returns: the body of `receive_message()`."""
        consumer = self._consumer
        try:
            handler = self._handlers[message.action]
            result = await getattr(consumer, handler.method_name)(message)
            if result is not None:
                await self._send_result(result, handler.method_name)
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            await consumer.handle_message_handler_error(
                RuntimeError(f"The handler raised {error!r} by itself"), message.action, message
            )
        except Exception as error:
            await consumer.handle_message_handler_error(error, message.action, message)

    async def _send_result(self, result: Any, method: str) -> None:
        if not isinstance(result, BaseMessage):
            raise TypeError(
                f"{type(self._consumer).__name__}.{method}() returned {type(result).__name__}: "
                "return a BaseMessage or None."
            )
        await self._consumer.handle_result(result)
        exchange = self._exchanges.current()
        if exchange is not None:
            exchange.answered = True

    async def reject(self, error: InvalidFrameError) -> None:
        """Answer a frame that is no message."""
        exchange = self._exchanges.current()
        if exchange is not None and error.ref is not None:
            exchange.ref = error.ref
        if error.malformed:
            logger.warning("Malformed frame", reason=_first_type(error.error))
        await self._consumer.handle_validation_error(error.error)
        if not error.malformed:
            await self._complete()

    async def _complete(self) -> None:
        """Send the completion that the options ask for, or that a reference still waits for."""
        exchange = self._exchanges.current()
        waiting = exchange is not None and exchange.ref is not None and not exchange.failed
        if self._consumer.should_send_completion:
            if exchange is not None and exchange.failed:
                exchange.ref = None  # the error was the last frame under this reference
            await self._consumer.send_message(CompleteMessage())
        elif waiting and exchange is not None and not exchange.answered:
            await self._consumer.send_message(CompleteMessage())

    async def _contain(self, error: Exception) -> None:
        """Answer a failure outside the handler; a hook that fails as well ends here."""
        try:
            await self._consumer.handle_json_processing_error(error)
        except Exception:
            logger.exception("Error while answering a failure")

    def log_received(self, action: Any) -> None:
        """Log one received message, unless its action is ignored."""
        if not isinstance(action, str) or action not in self._consumer.all_log_ignored_actions:
            logger.info("Websocket received")


class LayerDispatcher:
    """Takes one layer message to the consumer method that its type names, if that is allowed."""

    def __init__(self, consumer: "ChanxWebsocketConsumerMixin[Any]") -> None:
        self._consumer = consumer
        self._before = type(consumer).before_dispatch

    async def handle(self, event: ASGIEvent) -> None:
        """Handle one layer message. Raises nothing but cancellation."""
        try:
            if self._before is not None:
                await self._before()
            await self._route(event)
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            logger.exception("Layer message failed")
        except Exception:
            logger.exception("Layer message failed")

    async def _route(self, event: ASGIEvent) -> None:
        kind = event.get("type")
        name = kind.replace(".", "_") if isinstance(kind, str) else None
        if name not in LAYER_TYPES:
            logger.warning(
                "Layer message of a type that may not be dispatched", layer_type=repr(kind)[:100]
            )
            return
        if name == "handle_group_message":
            await self._consumer.handle_group_message(cast(GroupMessageEvent, event))
        else:
            await self._consumer.handle_channel_event(cast(EventPayload, event))


def text_of(event: ASGIEvent) -> str:
    """Return the text of a frame. Raises InvalidFrameError for a binary one."""
    text = event.get("text")
    if text is None:
        raise malformed("json_invalid", "Invalid JSON: binary frames are not supported")
    return cast(str, text)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _first_type(error: ValidationError) -> str:
    return error.errors(include_url=False, include_context=False, include_input=False)[0]["type"]
