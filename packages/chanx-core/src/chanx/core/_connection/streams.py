"""Answers that are streams: items sent one by one, at the pace of the client."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, aclosing
from contextvars import copy_context
from typing import Any, Protocol

from chanx.core._connection.correlation import Exchange
from chanx.core._connection.live_work import LiveWork, RefInUseError
from chanx.core._connection.outlet import Outlet
from chanx.core._runtime.containment import Cancelling, contained
from chanx.core._runtime.tasks import cancel_tasks, spawn
from chanx.core.exceptions import MessageError
from chanx.core.handlers import HandlerSpec
from chanx.messages.base import BaseMessage
from chanx.utils.logging import logger

__all__ = ["Stream", "StreamRunner", "Streams"]

# Items after which a stream that never waits gives others a turn of the event loop.
_YIELD_EVERY = 64

Generate = Callable[..., AsyncGenerator[BaseMessage, None]]


class StreamRunner(Protocol):
    """What runs the handlers of an owner."""

    def watching(self, stream: "Stream") -> AbstractContextManager[None]:
        """Notify observers, if there are any, of a stream from start to end."""
        ...

    def credit_awaited(self, message: BaseMessage, seconds: float) -> None:
        """Notify observers, if there are any, that a stream has waited for credit."""
        ...

    async def check_guards(self, handler: HandlerSpec, message: BaseMessage) -> None:
        """Raise DeniedError for a message that a guard denies."""
        ...

    async def next_item(self, items: AsyncGenerator[BaseMessage, None]) -> BaseMessage:
        """Return the next item, within the time limit of handlers. Raises StopAsyncIteration."""
        ...

    async def send_item(self, item: BaseMessage, exchange: Exchange) -> None:
        """Send an item."""
        ...

    async def end_stream(self, exchange: Exchange) -> None:
        """Send the completion that ends a stream."""
        ...

    async def answer_failure(self, error: Exception, message: BaseMessage) -> None:
        """Send the error frame that ends a stream."""
        ...

    # Any: the consumer, for the resolver that the integration has made.
    @property
    def owner(self) -> Any:
        """Whose handler it is."""
        ...


class Streams:
    """The streams of one connection: `limit` at once, each at most `ahead` frames ahead of the socket.

    `stall_timeout` is how many seconds a stream waits for credit of its client.
    """

    __slots__ = (
        "_is_over",
        "ahead",
        "connection",
        "limit",
        "live",
        "outlet",
        "running",
        "stall_timeout",
    )

    def __init__(
        self,
        connection: Cancelling,
        outlet: Outlet,
        live: LiveWork,
        *,
        limit: int,
        ahead: int,
        stall_timeout: float,
    ) -> None:
        self.connection = connection
        self.outlet = outlet
        self.live = live
        self.limit = limit
        self.ahead = ahead
        self.stall_timeout = stall_timeout
        self.running: dict[Stream, asyncio.Task[None]] = {}
        self._is_over = False

    async def start(
        self, runner: StreamRunner, handler: HandlerSpec, generate: Generate, message: BaseMessage
    ) -> None:
        """Start a stream, and return once its guards and dependencies have passed.

        Raises MessageError where there are too many, or the reference is in use.
        """
        if self._is_over:
            return  # the client has gone, and this request had waited
        outer = self.outlet.exchanges.current()
        exchange = Exchange(None)
        if outer is not None and outer.ref is not None:  # without one, no credit could be given
            exchange = Exchange(outer.ref, window=outer.window)
        if len(self.running) >= self.limit:
            raise MessageError("too_many_streams", f"At most {self.limit} streams at once")
        stream = Stream(self, runner, handler, exchange, message)
        try:
            self.live.begin(stream, exchange.ref)
        except RefInUseError:
            if outer is not None:
                outer.ref = None  # under it, the error would end the other answer
            raise
        if outer is not None:
            outer.answered = True  # the stream has an end of its own
        task = spawn(self._run(stream, generate), context=copy_context())
        if not task.done():
            self.running[stream] = task
            await stream.started.wait()

    async def _run(self, stream: "Stream", generate: Generate) -> None:
        try:
            with stream.runner.watching(stream):
                await stream.run(generate)
        except BaseException as error:  # a hook failed on the end of the stream
            await contained(error, self.connection)
            logger.exception("Error while ending a stream")
        finally:
            stream.started.set()
            self.running.pop(stream, None)
            self.live.end(stream.exchange.ref)

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """The tasks of the streams."""
        return frozenset(self.running.values())

    def cancel(self) -> None:
        """Cancel all and start none, because the connection ends: nothing more is sent."""
        self._is_over = True
        for task in self.running.values():
            task.cancel()

    async def end(
        self, reason: MessageError, *, within: float, owner: object | None = None
    ) -> None:
        """End all, or those of one owner, with an error, and wait for that."""
        ending = {
            stream: task
            for stream, task in self.running.items()
            if owner is None or stream.runner.owner is owner
        }
        tasks = frozenset(ending.values())
        for stream in ending:
            stream.cancel(reason)
        if tasks:
            await asyncio.wait(tasks, timeout=within)
            await cancel_tasks(*tasks, within=within)


class Stream:
    """One streamed answer. It has exactly one end: a completion, or an error."""

    __slots__ = (
        "_granted",
        "_handler",
        "_is_over",
        "_reason",
        "_streams",
        "_task",
        "_waiting",
        "exchange",
        "items",
        "message",
        "runner",
        "started",
    )

    def __init__(
        self,
        streams: Streams,
        runner: StreamRunner,
        handler: HandlerSpec,
        exchange: Exchange,
        message: BaseMessage,
    ) -> None:
        self._streams = streams
        self.runner = runner
        self._handler = handler
        self.message = message
        self.exchange = exchange
        self.started = asyncio.Event()
        self.items: int = 0
        """How many items were sent, once the stream has ended."""
        # How many items the client takes in all, as far as it has said; None for any number.
        self._granted = exchange.window
        self._waiting: asyncio.Future[None] | None = None
        self._task: asyncio.Task[Any] | None = None
        self._reason: MessageError | None = None
        self._is_over = False

    def cancel(self, reason: MessageError) -> None:
        """End the stream with an error; without effect once its end is on the way."""
        if self._reason is None and not self._is_over:
            self._reason = reason
            if self._task is not None:
                self._task.cancel()

    def give_credit(self, number: int) -> None:
        """Let the client have so many items more; without effect for a stream without a window."""
        if self._granted is None:
            return
        self._granted += number
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def run(self, generate: Generate) -> None:
        """Send every item, then the end."""
        self._task = asyncio.current_task()
        exchanges = self._streams.outlet.exchanges
        exchanges[self._task] = self.exchange
        try:
            await self._send_all(generate)
        finally:
            exchanges.pop(self._task, None)

    async def _send_all(self, generate: Generate) -> None:
        try:
            try:
                await self._produce(generate)
            finally:
                # From here on a `cancel` comes too late, and the end carries no number.
                self._is_over = True
                self.items = self.exchange.seq or 0
                self.exchange.seq = None
        except BaseException as error:
            failure = await self._failure(error)
            await self.runner.answer_failure(failure, self.message)
        else:
            if self._reason is not None:  # the generator has swallowed the cancellation
                await self.runner.answer_failure(self._reason, self.message)
            else:
                await self.runner.end_stream(self.exchange)

    async def _failure(self, error: BaseException) -> Exception:
        if isinstance(error, asyncio.CancelledError) and self._reason is not None:
            if self._streams.connection.cancels_handlers:
                raise error
            assert self._task is not None
            while self._task.uncancel() > 0:
                pass
            return self._reason
        return await contained(error, self._streams.connection)

    async def _produce(self, generate: Generate) -> None:
        message = self.message
        await self.runner.check_guards(self._handler, message)
        resolver = self._handler.resolver
        if resolver is None:
            await self._iterate(generate(message))
        else:
            async with resolver(self.runner.owner, message) as parameters:
                await self._iterate(generate(message, **parameters))

    async def _iterate(self, items: AsyncGenerator[BaseMessage, None]) -> None:
        self.exchange.seq = 0
        self.started.set()
        sent = 0
        async with aclosing(items):
            while self._reason is None:
                await self._wait_for_client()
                try:
                    item = await self.runner.next_item(items)
                except StopAsyncIteration:
                    return
                await self.runner.send_item(item, self.exchange)
                sent += 1
                if sent % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)

    async def _wait_for_client(self) -> None:
        """Wait while the socket is behind, or the client has no room for another item."""
        sender, ahead = self._streams.outlet.sender, self._streams.ahead
        if sender.waiting >= ahead:
            await sender.fewer_than(ahead)
        while self._granted is not None and (self.exchange.seq or 0) >= self._granted:
            await self._wait_for_credit()

    async def _wait_for_credit(self) -> None:
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        began = loop.time()
        try:
            async with asyncio.timeout(self._streams.stall_timeout):
                await self._waiting
        except TimeoutError:
            raise MessageError(
                "stalled", f"The client gave no credit for {self._streams.stall_timeout:g} s"
            ) from None
        finally:
            self._waiting = None
            self.runner.credit_awaited(self.message, loop.time() - began)
