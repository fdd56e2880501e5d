"""Taking one client frame at its turn through decoding, handler and answer."""

import asyncio
from asyncio import current_task
from collections.abc import Coroutine
from typing import Any, Protocol, cast

from pydantic_core import from_json

from chanx.core._connection.application_errors import answer_application_error
from chanx.core._connection.correlation import Exchange
from chanx.core._connection.handler_runner import HandlerRunner
from chanx.core._connection.outlet import Outlet
from chanx.core._ports import HandlerOwner, OwnConnection
from chanx.core._runtime.containment import contained
from chanx.core._telemetry.log_limit import LogLimit
from chanx.core._wire.error_frames import InvalidFrameError, malformed
from chanx.core.codec import Codec
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import CompleteMessage
from chanx.type_defs import ASGIEvent, JSONObject
from chanx.utils.logging import logger

__all__ = ["FrameDispatcher", "parsed_object", "text_of"]


class TopicRoutes(Protocol):
    """The topics of the connection."""

    def is_concurrent(self, name: object, event: ASGIEvent) -> bool:
        """Tell whether a frame of a topic need not keep to the order."""
        ...

    def route_object(self, content: JSONObject) -> Coroutine[Any, Any, None] | None:
        """Return what handles a parsed frame of a topic; None for one of the consumer."""
        ...


class FrameDispatcher:
    """Dispatches the frames of one connection to the handlers of one owner.

    The frame is decoded in one step: `HookedDispatcher` takes its place where a class overrides a hook on the way to
    the handler.
    """

    __slots__ = (
        "_before",
        "_concurrent",
        "_connection",
        "_dispatches_directly",
        "_hold",
        "_loop",
        "_malformed",
        "_owner",
        "_stream_actions",
        "_topics",
        "_validates_directly",
        "codec",
        "exchanges",
        "has_concurrent",
        "log",
        "runner",
    )

    def __init__(
        self,
        owner: HandlerOwner,
        connection: OwnConnection,
        outlet: Outlet,
        runner: HandlerRunner,
    ) -> None:
        spec = owner.spec
        self._owner = owner
        self._connection = connection
        self.codec: Codec = outlet.codec
        self.log = outlet.log
        self.exchanges = outlet.exchanges
        self.runner = runner
        self._loop = asyncio.get_running_loop()
        self._concurrent = spec.handlers.concurrent_actions
        self._stream_actions = spec.handlers.stream_actions
        self.has_concurrent: bool = spec.has_concurrent
        self._hold = not owner.send_message_immediately
        self._dispatches_directly = spec.shortcuts.dispatch
        self._validates_directly = spec.shortcuts.handle_json
        self._before = spec.integration.before_dispatch
        self._malformed: LogLimit | None = None
        self._topics: TopicRoutes | None = None

    def use_topics(self, topics: "TopicRoutes") -> None:
        """Pass frames of topics on."""
        self._topics = topics

    def is_concurrent(self, event: ASGIEvent) -> bool:
        """Tell whether a frame need not keep to the order; it is validated at its turn."""
        content = parsed_object(event.get("text") or "") or {}
        if self._topics is not None and self._topics.is_concurrent(content.get("topic"), event):
            return True
        action = content.get(self.codec.wire.discriminator_field)
        return isinstance(action, str) and action in self._concurrent

    def log_blocked(self) -> None:
        """Log that a handler keeps others waiting, and what to do about it."""
        logger.warning(
            "%s.%s() keeps other messages of its connection waiting; mark it "
            "@ws_handler(concurrent=True) or raise message_concurrency",
            type(self._owner).__name__,
            self.runner.running,
        )

    # One frame

    async def handle(self, event: ASGIEvent) -> None:
        """Handle one `websocket.receive` event. Raises only what ends the connection or the process."""
        task = None
        try:
            if self._before is not None:
                await self._before()
            try:
                message, (ref, window) = self.codec.decode(event.get("text") or text_of(event))
            except Exception as error:
                await self._reject_frame(event, error)
                return
            if ref is not None or self._hold:
                task = current_task(self._loop)
                self.exchanges[task] = self._exchange(ref, window)
            # Else nothing about this exchange has to be known beyond the handler.
            await self.answer(message)
            if task is not None and self.exchanges:
                await self._complete_if_waiting()
        except BaseException as error:
            await self._contain(error)
        finally:
            if task is not None and self.exchanges:
                exchange = self.exchanges.pop(task, None)
                if isinstance(exchange, Exchange) and exchange.held:
                    await self._connection.send_texts(exchange.held)

    def _exchange(self, ref: str | None, window: int | None) -> Exchange | str:
        if ref is None or window is not None or self._hold or self._owner.should_send_completion:
            return Exchange(ref, self._hold, window)
        return ref

    async def _complete_if_waiting(self) -> None:
        exchange = self.exchanges.current()
        if exchange is not None and not exchange.answered:
            await self._complete()

    async def _reject_frame(self, event: ASGIEvent, error: Exception) -> None:
        """Answer a frame that could not be decoded, under its reference."""
        ref: str | None = None
        if isinstance(error, InvalidFrameError):
            ref = error.ref
        else:  # raised by a validator of the user's
            _, (ref, _) = self.codec.split(self.codec.parse(event["text"]))
        self.exchanges.begin(ref, hold=self._hold)
        try:
            if isinstance(error, InvalidFrameError):
                await self.reject(error)
            else:
                await self._contain(error)
        except BaseException as failure:
            await self._contain(failure)
        finally:
            await self._end_exchange()

    async def _end_exchange(self) -> None:
        exchange = self.exchanges.end()
        if exchange is not None and exchange.held:
            await self._connection.send_texts(exchange.held)

    async def _contain(self, error: BaseException) -> None:
        """Answer a failure outside a handler; a hook that fails on that as well ends here."""
        failure = await contained(error, self._connection)
        self._connection.failed(failure)
        try:
            if not await answer_application_error(self._owner, failure):
                await self._owner.handle_json_processing_error(failure)
        except BaseException as second:
            await contained(second, self._connection)
            logger.exception("Error while answering a failure")

    # One parsed frame

    async def handle_object(self, content: JSONObject) -> None:
        """Take the envelope off parsed JSON: the body of `receive_json()`."""
        # A client may send any JSON.
        if self._topics is not None and isinstance(cast(object, content), dict):
            passed_on = self._topics.route_object(content)
            if passed_on is not None:
                await passed_on
                return
        message, (ref, window) = self.codec.split(content)
        if ref is not None:
            self._refer_to(ref)
            exchange = self.exchanges.current()
            if exchange is not None:
                exchange.window = window
        if self._validates_directly:
            await self.handle_message_object(message)
        else:
            await self._owner.handle_json(message)

    async def handle_message_object(self, content: JSONObject) -> None:
        """Validate a message without its envelope and handle it: the body of `handle_json()`."""
        try:
            message = self.codec.validate_object(content)
        except InvalidFrameError as error:
            await self.reject(error)
        else:
            await self.answer(message)
            await self._complete_if_waiting()

    def _refer_to(self, ref: str | None) -> None:
        """Answer the current frame under a reference."""
        exchange = self.exchanges.current()
        if exchange is not None:
            exchange.ref = ref

    # One message

    def answer(self, message: BaseMessage) -> Coroutine[Any, Any, None]:
        """Run the handler, and send the completion that the options ask for."""
        owner = self._owner
        if owner.log_websocket_message:
            self.log.received(message.action)
        handling = (
            self.runner.run(message)
            if self._dispatches_directly
            else owner.receive_message(message)
        )
        # No coroutine more than needed: each costs as much as a step of the handling.
        if owner.should_send_completion and message.action not in self._stream_actions:
            return self._completed(handling)
        return handling

    async def _completed(self, handling: Coroutine[Any, Any, None]) -> None:
        await handling
        await self._complete()

    async def _complete(self) -> None:
        """Send the completion that the options ask for, or that a reference still waits for."""
        exchange = self.exchanges.current()
        if self._owner.should_send_completion:
            if exchange is not None and exchange.failed:
                exchange.ref = None  # the error was the last frame under this reference
            await self._owner.send_message(CompleteMessage())
        elif exchange is not None and exchange.is_waiting:
            await self._owner.send_message(CompleteMessage())
        if exchange is not None:
            exchange.answered = True

    # A frame that is no message

    async def reject(self, error: InvalidFrameError) -> None:
        """Answer a frame that is no message."""
        self._connection.failed(error.error)
        if error.ref is not None:
            self._refer_to(error.ref)
        if error.malformed:
            self._log_malformed(error.kind)
        await self._owner.handle_validation_error(error.error)
        if not error.malformed:
            await self._complete()

    async def reject_under(self, ref: str | None, error: InvalidFrameError) -> None:
        """Answer a frame under another reference than its own."""
        error.ref = None
        await self._under(ref, self.reject(error))

    def failed(self, error: Exception) -> None:
        """Notify observers, if there are any, of a frame that is answered by an error."""
        self._connection.failed(error)

    async def send_under(self, ref: str | None, message: BaseMessage) -> None:
        """Send a message under a reference, whatever the current task is about."""
        await self._under(ref, self._owner.send_message(message))

    async def _under(self, ref: str | None, sending: Coroutine[Any, Any, None]) -> None:
        self.exchanges.begin(ref, hold=False)
        try:
            await sending
        except BaseException as error:
            await contained(error, self._connection)
            logger.exception("Error while answering a frame")
        finally:
            self.exchanges.end()

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


def text_of(event: ASGIEvent) -> str:
    """Return the text of a frame. Raises InvalidFrameError for a binary one."""
    text = event.get("text")
    if text is None:
        raise malformed("json_invalid", "Invalid JSON: binary frames are not supported")
    return cast(str, text)


def parsed_object(text: str) -> JSONObject | None:
    """Return the JSON object of a frame; None for any other text, which is answered at its turn."""
    try:
        content: Any = from_json(text)
    except (ValueError, TypeError):  # no JSON, or a lone surrogate
        return None
    return cast(JSONObject, content) if isinstance(content, dict) else None


def _report_malformed(number: int) -> None:
    logger.warning("Malformed frames: %d more not logged", number, extra={"not_logged": number})
