"""Handling what reaches a consumer: one client frame, one layer message."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

from pydantic_core import from_json

from chanx.core._connection.application_errors import answer_application_error
from chanx.core._connection.correlation import Exchanges
from chanx.core._connection.message_log import MessageLog
from chanx.core._connection.sender import FrameSender
from chanx.core._ports import HandlingConsumer
from chanx.core._runtime.containment import contained
from chanx.core._runtime.tasks import take_back_cancellation
from chanx.core._telemetry.log_limit import LogLimit
from chanx.core._wire.error_frames import InvalidFrameError, malformed
from chanx.core.codec import Codec, checked_message
from chanx.core.exceptions import DeniedError
from chanx.core.handlers import HandlerSpec
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import CompleteMessage
from chanx.type_defs import ASGIEvent, JSONObject
from chanx.utils.logging import logger

__all__ = ["FrameDispatcher"]


class FrameDispatcher:
    """Takes one client frame at its turn through decoding, handler and answer.

    The consumer's documented hooks are called in their order. Where a class overrides none on a
    stretch of the way, the frame passes that stretch in one step, with the same result.
    """

    __slots__ = (
        "_assisted_handlers",
        "_before",
        "_codec",
        "_concurrent",
        "_consumer",
        "_dispatches_directly",
        "_hold",
        "_is_direct",
        "_is_plain",
        "_malformed",
        "_methods",
        "_running",
        "_sender",
        "_sends_results",
        "_timeout",
        "_writes_results",
        "exchanges",
        "has_concurrent",
        "log",
    )

    def __init__(self, consumer: HandlingConsumer, codec: Codec, sender: FrameSender) -> None:
        self._consumer = consumer
        self._codec = codec
        self._sender = sender
        self.log: MessageLog = MessageLog(lambda: consumer.all_log_ignored_actions)
        self.exchanges: Exchanges = Exchanges()
        shortcuts = type(consumer).shortcuts
        handlers = type(consumer).spec.handlers
        self._methods = handlers.message_methods
        self._concurrent = handlers.concurrent_actions
        self.has_concurrent: bool = bool(self._concurrent)
        self._assisted_handlers = handlers.assisted
        self._is_plain = not handlers.assisted and consumer.handler_timeout is None
        self._hold = not consumer.send_message_immediately
        self._is_direct = shortcuts.receive and not self._hold
        self._dispatches_directly = shortcuts.dispatch
        self._sends_results = shortcuts.result
        self._writes_results = shortcuts.result
        self._timeout = consumer.handler_timeout
        self._before = type(consumer).before_dispatch
        self._running = ""
        self._malformed: LogLimit | None = None

    def is_concurrent(self, event: ASGIEvent) -> bool:
        """Tell whether a frame need not keep to the order; it is validated at its turn."""
        try:
            content = from_json(event.get("text") or "")
        except (ValueError, TypeError):  # no JSON, or a lone surrogate
            return False
        action: Any = (
            cast(JSONObject, content).get(self._codec.wire.discriminator_field)
            if isinstance(content, dict)
            else None
        )
        return isinstance(action, str) and action in self._concurrent

    def log_blocked(self) -> None:
        """Say that a handler keeps others waiting, and what to do about it."""
        logger.warning(
            "%s.%s() keeps other messages of its connection waiting; mark it "
            "@ws_handler(concurrent=True) or raise message_concurrency",
            type(self._consumer).__name__,
            self._running,
        )

    async def handle(self, event: ASGIEvent) -> None:
        """Handle one `websocket.receive` event. Raises nothing but what ends the connection or the process."""
        try:
            if self._before is not None:
                await self._before()
            text = event.get("text")
            if text is None or not self._is_direct:
                await self._in_exchange(self._receive(event))
                return
            ref = None
            try:
                message, ref = self._codec.decode(text)
            except InvalidFrameError as error:
                handling = self.reject(error)
            except Exception:
                # A validator of the user's failed: on the documented way the failure has its reference.
                handling = self._receive(event)
            else:
                handling = self.answer(message, completes=ref is not None)
                if ref is None:
                    # Nothing about this exchange has to be known beyond the handler.
                    await handling
                    return
            await self._in_exchange(handling, ref)
        except BaseException as error:
            await self._contain(error)

    async def _in_exchange(
        self, handling: Coroutine[Any, Any, None], ref: str | None = None
    ) -> None:
        exchange = self.exchanges.begin(ref, hold=self._hold)
        try:
            await handling
        except BaseException as error:
            await self._contain(error)
        finally:
            self.exchanges.end()
            if exchange.held:
                await self._consumer.connection.send_texts(exchange.held)

    async def _contain(self, error: BaseException) -> None:
        """Answer a failure outside a handler; a hook that fails on that as well ends here."""
        failure = await contained(error, self._consumer.connection)
        try:
            if not await answer_application_error(self._consumer, failure):
                await self._consumer.handle_json_processing_error(failure)
        except BaseException as second:
            await contained(second, self._consumer.connection)
            logger.exception("Error while answering a failure")

    async def _receive(self, event: ASGIEvent) -> None:
        """Go the documented way, hook by hook."""
        try:
            await self._consumer.websocket_receive(event)
        except InvalidFrameError as error:
            await self.reject(error)

    async def handle_object(self, content: JSONObject) -> None:
        """Take the envelope off parsed JSON: the body of `receive_json()`."""
        message, ref = self._codec.envelope(content)
        exchange = self.exchanges.current()
        if exchange is not None:
            exchange.ref = ref
        await self._consumer.handle_json(message)

    async def handle_message_object(self, content: JSONObject) -> None:
        """Validate a message without envelope and go on: the body of `handle_json()`."""
        message, _ = self._codec.decode_object(content)
        await self.answer(message, completes=True)

    def answer(self, message: BaseMessage, *, completes: bool) -> Coroutine[Any, Any, None]:
        """Run the handler and mark the end of the exchange, where it has one or the options ask for it."""
        consumer = self._consumer
        if consumer.log_websocket_message:
            self.log.received(message.action)
        handling = (
            self.run_handler(message)
            if self._dispatches_directly
            else consumer.receive_message(message)
        )
        # No coroutine more than needed: each costs as much as a step of the handling.
        if completes or consumer.should_send_completion:
            return self._completed(handling)
        return handling

    async def _completed(self, handling: Coroutine[Any, Any, None]) -> None:
        await handling
        await self._complete()

    async def run_handler(self, message: BaseMessage) -> None:
        """Call the message's handler and send what it returns: the body of `receive_message()`."""
        consumer = self._consumer
        try:
            method = self._running = self._methods[message.action]
            if self._is_plain:
                result = await getattr(consumer, method)(message)
            else:
                result = await self._assisted(getattr(consumer, method), message)
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # The handler has cancelled its own task, which would only now interrupt the sending of its answer.
                await take_back_cancellation()
            if result is None:
                return
            if self._writes_results and not self.exchanges:
                text = self._codec.encode(result)
                await self._sender.send({"type": "websocket.send", "text": text})
                if consumer.log_websocket_message:
                    self.log.sent(result.action)
            else:
                await self._send_result(result)
        except BaseException as error:
            await self._tell_failure(await contained(error, consumer.connection), message)

    async def _send_result(self, result: Any) -> None:
        if self._sends_results:
            text = self._codec.encode(result)
            await self._consumer.connection.send_text(text, result.action)
        else:
            await self._consumer.handle_result(checked_message(result))
        exchange = self.exchanges.current()
        if exchange is not None:
            exchange.answered = True

    async def _tell_failure(self, error: Exception, message: BaseMessage) -> None:
        action = message.action
        if not await answer_application_error(self._consumer, error, action):
            await self._consumer.handle_message_handler_error(error, action, message)

    async def _assisted(self, handle: Callable[..., Awaitable[Any]], message: BaseMessage) -> Any:
        """Handle a message within its time limit, with its guards and parameters."""
        handler = self._assisted_handlers.get(message.action)
        running = handle(message) if handler is None else self._guarded(handler, handle, message)
        return await (running if self._timeout is None else self._timed(running))

    async def _guarded(
        self, handler: HandlerSpec, handle: Callable[..., Awaitable[Any]], message: BaseMessage
    ) -> Any:
        for guard in handler.guards:
            if await guard.check(self._consumer, message) is False:
                raise DeniedError
        if handler.resolver is None:
            return await handle(message)
        async with handler.resolver(self._consumer, message) as parameters:
            return await handle(message, **parameters)

    async def _timed(self, running: Awaitable[Any]) -> Any:
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                return await running
        except TimeoutError:
            if not limit.expired():
                raise
            logger.warning("Handler timed out (handler_timeout=%g)", self._timeout)
            raise DeniedError(
                "timeout", f"The message was not handled within {self._timeout:g} s"
            ) from None

    async def reject(self, error: InvalidFrameError) -> None:
        """Answer a frame that is no message."""
        exchange = self.exchanges.current()
        if exchange is not None and error.ref is not None:
            exchange.ref = error.ref
        if error.malformed:
            self._log_malformed(error.kind)
        await self._consumer.handle_validation_error(error.error)
        if not error.malformed:
            await self._complete()

    def _log_malformed(self, reason: str) -> None:
        # A client may send any number of them.
        if self._malformed is None:
            self._malformed = LogLimit(_report_malformed)
        if self._malformed.admit():
            logger.warning("Malformed frame: %s", reason)

    async def report_malformed(self) -> None:
        """Log how many malformed frames were not logged; none follows."""
        if self._malformed is not None:
            self._malformed.flush()

    async def _complete(self) -> None:
        """Send the completion that the options ask for, or that a reference still waits for."""
        exchange = self.exchanges.current()
        if self._consumer.should_send_completion:
            if exchange is not None and exchange.failed:
                exchange.ref = None  # the error was the last frame under this reference
            await self._consumer.send_message(CompleteMessage())
        elif exchange is not None and exchange.is_waiting:
            await self._consumer.send_message(CompleteMessage())


def text_of(event: ASGIEvent) -> str:
    """Return the text of a frame. Raises InvalidFrameError for a binary one."""
    text = event.get("text")
    if text is None:
        raise malformed("json_invalid", "Invalid JSON: binary frames are not supported")
    return cast(str, text)


def _report_malformed(number: int) -> None:
    logger.warning("Malformed frames: %d more not logged", number, extra={"not_logged": number})
