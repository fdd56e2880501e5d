"""Running the handler of one message or event, and sending what it returns."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from chanx.core._connection.application_errors import answer_application_error
from chanx.core._connection.correlation import Exchange
from chanx.core._connection.live_work import CancellableHandler, LiveWork, RefInUseError
from chanx.core._connection.outlet import Outlet
from chanx.core._connection.streams import Stream, Streams
from chanx.core._ports import HandlerOwner, Notifications, OwnConnection
from chanx.core._runtime.containment import contained
from chanx.core._runtime.tasks import take_back_cancellation
from chanx.core.codec import checked_message
from chanx.core.exceptions import DeniedError
from chanx.core.handlers import HandlerSpec
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import CompleteMessage
from chanx.utils.logging import logger

__all__ = ["HandlerRunner", "ObservedRunner"]

Handle = Callable[..., Awaitable[Any]]


class HandlerRunner:
    """Runs the handlers of one owner, within their time limit, with their guards and parameters.

    The owner's hooks for results and errors are called. Where `writes_results` allows it and the class overrides none
    of the hooks that send, a result goes straight to the socket.
    """

    __slots__ = (
        "_assisted",
        "_before_ref",
        "_connection",
        "_encode",
        "_exchanges",
        "_is_plain",
        "_log",
        "_loop",
        "_methods",
        "_sender",
        "_sends_results",
        "_streams",
        "_timeout",
        "_writes_results",
        "owner",
        "running",
    )

    def __init__(
        self,
        owner: HandlerOwner,
        connection: OwnConnection,
        outlet: Outlet,
        streams: Streams | None,
        *,
        writes_results: bool,
    ) -> None:
        spec = owner.spec
        self._streams = streams
        self.owner = owner
        self._connection = connection
        self._encode = outlet.encode
        self._before_ref = outlet.before_ref
        self._exchanges = outlet.exchanges
        self._sender = outlet.sender
        self._log = outlet.log
        self._methods = spec.handlers.message_methods
        self._assisted = spec.handlers.assisted
        self._is_plain = not spec.handlers.assisted and owner.handler_timeout is None
        self._sends_results = writes_results and spec.shortcuts.result
        # Observers are notified of a result in `_send_result()`.
        self._writes_results = self._sends_results and connection.notifier is None
        self._timeout = owner.handler_timeout
        self._loop = asyncio.get_running_loop()
        self.running: str = ""
        """The method that was called last."""

    async def run(self, message: BaseMessage) -> None:
        """Call a message's handler and send what it returns: the body of `receive_message()`."""
        owner = self.owner
        try:
            method = self.running = self._methods[message.action]
            if self._is_plain:
                result = await getattr(owner, method)(message)
            else:
                result = await self._assist(getattr(owner, method), message)
            task = asyncio.current_task(self._loop)
            if task is not None and task.cancelling():
                # The handler has cancelled its own task, which would only now interrupt the sending of its answer.
                await take_back_cancellation()
            if result is None:
                return
            if not self._writes_results:
                await self._send_result(result, self._exchanges.of(task))
                return
            encoded = self._encode(result)
            text = (
                self._exchanges.answer(task, encoded, self._before_ref)
                if self._exchanges
                else encoded
            )
            if not text:
                return
            await self._sender.send({"type": "websocket.send", "text": text})
            if owner.log_websocket_message:
                self._log.sent(result.action)
        except BaseException as error:
            await self.answer_failure(await contained(error, self._connection), message)

    async def run_event(self, event: BaseMessage) -> None:
        """Call an event's handler and send what it returns: the body of `receive_event()`."""
        owner = self.owner
        try:
            handler = owner.spec.handlers.events[event.action]
            running = self._guard(handler, getattr(owner, handler.method_name), event)
            if self._timeout is None:
                result = await running
            else:
                async with asyncio.timeout(self._timeout):
                    result = await running
            if result is not None:
                await owner.send_message(checked_message(result))
        except BaseException as error:
            failure = await contained(error, self._connection)
            self._connection.failed(failure, event)
            if not await answer_application_error(owner, failure, event.action):
                await owner.handle_event_handler_error(failure, event.action, event)

    # Before the handler

    async def _assist(self, handle: Handle, message: BaseMessage) -> Any:
        """Handle a message within its time limit, with its guards and parameters, or start a stream."""
        handler = self._assisted.get(message.action)
        if handler is None:
            return await self._limited(handle(message))
        if handler.is_stream and self._streams is not None:
            generate: Any = handle
            await self._streams.start(self, handler, generate, message)
            return None
        if handler.cancellable and self._streams is not None:
            return await self._cancellably(handler, handle, message, self._streams.live)
        return await self._limited(self._guard(handler, handle, message))

    async def _guard(self, handler: HandlerSpec, handle: Handle, message: BaseMessage) -> Any:
        await self.check_guards(handler, message)
        if handler.resolver is None:
            return await handle(message)
        async with handler.resolver(self.owner, message) as parameters:
            return await handle(message, **parameters)

    async def check_guards(self, handler: HandlerSpec, message: BaseMessage) -> None:
        """Raise DeniedError for a message that a guard denies."""
        for guard in handler.guards:
            if await guard.check(self.owner, message) is False:
                raise DeniedError

    async def _cancellably(
        self, handler: HandlerSpec, handle: Handle, message: BaseMessage, live: LiveWork
    ) -> Any:
        """Let the client cancel a handler by the reference of its message."""
        exchange = self._exchanges.current()
        ref = None if exchange is None else exchange.ref
        if exchange is None or ref is None:
            return await self._limited(self._guard(handler, handle, message))
        work = CancellableHandler()
        try:
            live.begin(work, ref)
        except RefInUseError:
            exchange.ref = None  # under it, the error would end the other answer
            raise
        try:
            return await self._limited(self._guard(handler, handle, message))
        except asyncio.CancelledError:
            reason = None if self._connection.cancels_handlers else work.reason()
            if reason is None:
                raise
            raise reason from None
        finally:
            live.end(ref)

    def _limited(self, running: Awaitable[Any]) -> Awaitable[Any]:
        return running if self._timeout is None else self._limit(running)

    async def _limit(self, running: Awaitable[Any]) -> Any:
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

    # Streams

    def watching(self, stream: Stream) -> AbstractContextManager[None]:
        """Notify observers, if there are any, of a stream from start to end."""
        return nullcontext()

    def credit_awaited(self, message: BaseMessage, seconds: float) -> None:
        """Notify observers, if there are any, that a stream has waited for credit."""

    async def next_item(self, items: AsyncGenerator[BaseMessage, None]) -> BaseMessage:
        """Return the next item, within the time limit of handlers. Raises StopAsyncIteration."""
        item: BaseMessage = await self._limited(anext(items))
        return item

    async def send_item(self, item: BaseMessage, exchange: Exchange) -> None:
        """Send an item of a stream."""
        if not self._sends_results:
            await self.owner.handle_result(checked_message(item))
            return
        text = exchange.addressed(self._encode(item), self._before_ref)
        await self._sender.send({"type": "websocket.send", "text": text})
        if self.owner.log_websocket_message:
            self._log.sent(item.action)

    async def end_stream(self, exchange: Exchange) -> None:
        """Send the completion that ends a stream: under its reference, or where the options ask for it."""
        if exchange.ref is not None or self.owner.should_send_completion:
            await self.owner.send_message(CompleteMessage())

    # After the handler

    async def _send_result(self, result: Any, exchange: Exchange | None) -> None:
        if self._sends_results:
            text = self._encode(result)
            await self._connection.send_text(text, result.action, self._before_ref)
        else:
            await self.owner.handle_result(checked_message(result))
        if exchange is not None:
            exchange.answered = True

    async def answer_failure(self, error: Exception, message: BaseMessage) -> None:
        """Answer what a handler raised."""
        action = message.action
        if not await answer_application_error(self.owner, error, action):
            await self.owner.handle_message_handler_error(error, action, message)


class ObservedRunner(HandlerRunner):
    """Notifies the observers too; connections that nobody observes do not have one."""

    __slots__ = ()

    @property
    def _notifier(self) -> Notifications:
        notifier = self._connection.notifier
        assert notifier is not None
        return notifier

    async def run(self, message: BaseMessage) -> None:
        """Call a message's handler and send what it returns."""
        if message.action in self.owner.spec.handlers.stream_actions:
            await super().run(message)
            return
        with self._notifier.handling(message):
            await super().run(message)

    @contextmanager
    def watching(self, stream: Stream) -> Generator[None]:
        """Notify the observers of a stream from start to end."""
        with self._notifier.handling(stream.message):
            try:
                yield
            finally:
                # Before their contexts are left: the number of items belongs to the same span.
                self._notifier.streamed(stream.message, stream.items)

    def credit_awaited(self, message: BaseMessage, seconds: float) -> None:
        """Notify the observers that a stream has waited for credit."""
        self._notifier.credit_awaited(message, seconds)

    async def send_item(self, item: BaseMessage, exchange: Exchange) -> None:
        """Send an item of a stream."""
        await super().send_item(item, exchange)
        if self._sends_results:
            self._notifier.replied(item)

    async def run_event(self, event: BaseMessage) -> None:
        """Call an event's handler and send what it returns."""
        with self._notifier.handling(event):
            await super().run_event(event)

    async def _send_result(self, result: Any, exchange: Exchange | None) -> None:
        await super()._send_result(result, exchange)
        if self._sends_results:
            self._notifier.replied(result)

    async def answer_failure(self, error: Exception, message: BaseMessage) -> None:
        """Answer what a handler raised."""
        self._notifier.failed(error, message)
        await super().answer_failure(error, message)
