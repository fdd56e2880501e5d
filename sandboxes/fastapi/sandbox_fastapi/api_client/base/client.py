# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""One client: its connection, which is made again when it is lost, and everything that is under way on it."""

import asyncio
import inspect
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from pydantic import BaseModel, TypeAdapter, ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed as SocketClosed
from websockets.exceptions import InvalidStatus

from .errors import (
    ClientError,
    ConnectionClosed,
    ConnectionLost,
    InvalidFrame,
    NoAnswer,
    SendQueueFull,
    answer_error,
)
from .exchange import Exchange, Inbox, kinds_of
from .model import Model
from .policy import Backoff, retry_after
from .topic import BaseTopic

__all__ = ["BaseClient", "Token"]

T = TypeVar("T", bound=BaseModel)
Token = str | Callable[[], str | Awaitable[str]]
# Any: whatever the application's function for a request takes and returns.
RequestHandler = Callable[[Any], Awaitable[BaseModel]]

_PARAMETER = re.compile(r"\{([^{}]+)\}")
_ENVELOPE = ("version", "topic", "ref", "seq", "window", "cursor")
_ENDS = ("complete", "error", "subscribed", "unsubscribed")
_MISSED = 2.5
"""Heartbeat intervals without any frame: two were missed."""


class BaseClient:
    """The base of generated clients.

    `url` is that of the server, `params` fill the address of the channel. `token`, or what it returns, is asked for
    before each connect. With `reconnects=False` the end of the first connection, or a failed attempt, is the end.
    Enter the client with `async with`, or let `handle()` do that and override `handle_message()`.
    """

    address: ClassVar[str] = "/"
    discriminator: ClassVar[str] = "action"
    controls: ClassVar[Mapping[str, str]] = {}
    close_codes: ClassVar[Mapping[int, str]] = {}
    heartbeat_interval: ClassVar[float | None] = None
    token_place: ClassVar[tuple[str, str]] = ("header", "Authorization")
    incoming: ClassVar[Mapping[str, Any]] = {}  # Any: a message type, or a union

    max_queued: int = 64
    """Messages that may wait for the connection."""
    max_received: int = 1024
    """Messages that may wait to be read, in each place where they are."""

    def __init__(
        self,
        url: str,
        *,
        params: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        token: Token | None = None,
        reconnects: bool = True,
        **options: Any,  # Any: those of websockets' connect()
    ) -> None:
        if urlsplit(url).scheme not in ("ws", "wss"):
            raise ValueError(f"{url!r} is no URL of a WebSocket: write wss://api.example.com")
        self._url = url
        self._params = dict(params or {})
        self._query = dict(query or {})
        self._headers = dict(headers or {})
        self._token = token
        self._reconnects = reconnects
        self._options = options
        self._path = _PARAMETER.sub(self._filled, self.address)
        self._socket: ClientConnection | None = None
        self._queue: deque[tuple[str, Exchange | None]] = deque()
        self._number = 0
        self._exchanges: dict[str, Exchange] = {}
        self._handlers: dict[str, RequestHandler] = {}
        self._adapters: dict[int, tuple[TypeAdapter[Any], frozenset[str]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._opened = asyncio.Event()
        self._run_task: asyncio.Task[None] | None = None
        self._last_frame = 0.0
        self._has_heartbeat = False
        self._pushed: Inbox[BaseModel] = Inbox(self.max_received)
        self.topics: dict[str, BaseTopic[Any]] = {}
        self.closed: ConnectionClosed | None = None
        """Why there is no connection any more."""

    # For the application to override

    async def handle_message(self, message: BaseModel) -> None:
        """Handle a message that the server sent by itself: it answers nothing and belongs to no topic."""

    async def on_error(self, error: Exception) -> None:
        """Learn of an error that no call raises: an invalid frame, an unknown action, an error in a handler."""

    async def on_resync(self, topic: str | None = None) -> None:
        """Fetch again what is shown: messages may have been lost, of one topic or of the connection."""

    # Life

    @property
    def is_open(self) -> bool:
        """True while there is a connection."""
        return self._socket is not None

    async def __aenter__(self) -> Self:
        self._run_task = asyncio.create_task(self._run())
        waiting = asyncio.create_task(self._opened.wait())
        try:
            await asyncio.wait({self._run_task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            await self.close()
            raise
        finally:
            waiting.cancel()
        if self.closed is not None:
            await self.close()
            raise self.closed
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def handle(self) -> None:
        """Connect, and call `handle_message()` until the connection ends for good."""
        async with self:
            async for message in self._pushed:
                try:
                    await self.handle_message(message)
                except Exception as error:
                    await self.on_error(error)

    def messages(self) -> AsyncIterator[BaseModel]:
        """Iterate over the messages that the server sends by itself."""
        return self._pushed

    async def close(self) -> None:
        """Close the connection for good."""
        tasks = {*self._tasks, *([self._run_task] if self._run_task else [])}
        tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.closed is None:
            self._end(ConnectionClosed(1000, "Closed by the client"))

    def _end(self, reason: ConnectionClosed) -> None:
        self.closed = reason
        self._fail_exchanges(reason)
        self._pushed.end()
        for topic in self.topics.values():
            topic.inbox.end(reason)

    async def _run(self) -> None:
        backoff, has_refreshed = Backoff(), False
        while True:
            ended = await self._connect(backoff)
            retry = retry_after(ended.code, self.close_codes) if self._reconnects else "stop"
            if retry == "after_refresh":
                if not callable(self._token) or (has_refreshed and not backoff.was_healthy()):
                    retry = "stop"
                has_refreshed = True
            if retry == "stop":
                self._end(ended)
                return
            await asyncio.sleep(backoff.delay(retry))

    async def _connect(self, backoff: Backoff) -> ConnectionClosed:
        """Connect once, and return what ended the connection."""
        try:
            url, headers = await self._target()
            async with connect(url, additional_headers=headers, **self._options) as socket:
                backoff.opened()
                await self._serve(socket)
                return ConnectionClosed(socket.close_code, socket.close_reason or "")
        except InvalidStatus as refused:
            return ConnectionClosed(refused.response.status_code, "The handshake was refused")
        except Exception as error:  # of the network, of websockets, of what fetches the token
            if self._reconnects:
                self.report_error(error)
            ended = ConnectionClosed(None, str(error))
            ended.__cause__ = error
            return ended

    async def _target(self) -> tuple[str, dict[str, str]]:
        query, headers = dict(self._query), dict(self._headers)
        if self.heartbeat_interval is not None:
            query.setdefault("heartbeat", "1")
        token = self._token() if callable(self._token) else self._token
        if inspect.isawaitable(token):
            token = await token
        if token is not None:
            place, name = self.token_place
            is_bearer = name.lower() == "authorization"
            values = query if place == "query" else headers
            values[name] = f"Bearer {token}" if is_bearer else token
        parts = urlsplit(self._url)
        text = "&".join(filter(None, [parts.query, urlencode(query)]))
        return urlunsplit(
            (parts.scheme, parts.netloc, parts.path.rstrip("/") + self._path, text, "")
        ), headers

    def _filled(self, found: re.Match[str]) -> str:
        if found[1] not in self._params:
            raise ValueError(f"params has no {found[1]!r}, which {self.address!r} needs")
        return quote(str(self._params[found[1]]), safe="")

    async def _serve(self, socket: ClientConnection) -> None:
        is_first = not self._opened.is_set()
        self._socket = socket
        loop = asyncio.get_running_loop()
        self._last_frame, self._has_heartbeat = loop.time(), False
        watch = asyncio.create_task(self._watch(socket))
        try:
            with suppress(SocketClosed):
                # Before what waits, which may be about these topics.
                for name in [] if is_first else [*self.topics]:
                    frame, waiting = self._topic_frame("subscribe", name), Exchange(1, ())
                    ref = await self._begin(frame, waiting, is_urgent=True)
                    self._spawn(self._resubscribed(name, ref, waiting))
                while self._queue:
                    text, exchange = self._queue[0]
                    await socket.send(text)
                    self._queue.popleft()
                    if exchange is not None:
                        exchange.was_sent = True
                self._opened.set()
                if not is_first:
                    self._spawn(self.on_resync())
                async for received in socket:
                    self._last_frame = loop.time()
                    self._receive(received)
        finally:
            watch.cancel()
            self._socket = None
            self._fail_exchanges(ConnectionLost("The connection was lost before the answer came"))

    async def _watch(self, socket: ClientConnection) -> None:
        """Give a connection up whose heartbeats stay out."""
        if self.heartbeat_interval is None:
            return
        limit = self.heartbeat_interval * _MISSED
        while True:
            await asyncio.sleep(self.heartbeat_interval / 2)
            silence = asyncio.get_running_loop().time() - self._last_frame
            if self._has_heartbeat and silence > limit:
                socket.transport.abort()
                return

    async def _resubscribed(self, name: str, ref: str, exchange: Exchange) -> None:
        try:
            await self._confirmation(ref, exchange)
        except ConnectionLost:
            return  # the next connection does it
        except ClientError as error:
            topic = self.topics.pop(name, None)
            if topic is not None:
                topic.inbox.end(error)
            return
        await self.on_resync(name)

    def _fail_exchanges(self, error: ClientError) -> None:
        """Fail what was sent; what still waits to be sent waits on, unless the connection ended for good."""
        for ref, exchange in [*self._exchanges.items()]:
            if exchange.was_sent or isinstance(error, ConnectionClosed):
                del self._exchanges[ref]
                exchange.inbox.end(error)

    def report_error(self, error: Exception) -> None:
        """Pass an error to `on_error()`, without waiting for it."""
        self._spawn(self.on_error(error))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            await self.on_error(error)

    # Receiving

    def _receive(self, text: str | bytes) -> None:
        try:
            frame: Any = json.loads(text)
            if not isinstance(frame, dict):
                raise ValueError("it is no object")
            self._route(cast("dict[str, Any]", frame), str(text))
        except ValueError as error:  # of JSON and of pydantic
            self.report_error(InvalidFrame(f"Invalid frame: {error}", str(text)))

    def _route(self, frame: dict[str, Any], text: str) -> None:
        action, ref = frame.get(self.discriminator), frame.get("ref")
        exchange = self._exchanges.get(ref) if isinstance(ref, str) else None
        if action == "heartbeat":
            self._has_heartbeat = True
        elif exchange is not None and frame.get("seq") is None and action in _ENDS:
            del self._exchanges[str(ref)]
            exchange.inbox.end(answer_error(frame.get("payload")) if action == "error" else None)
        else:
            self._route_message(frame, text, exchange)

    def _route_message(self, frame: dict[str, Any], text: str, exchange: Exchange | None) -> None:
        action, ref = str(frame.get(self.discriminator)), str(frame.get("ref"))
        kind = self._kinds_of(frame.get("topic")).get(action)
        if kind is None:
            self.report_error(InvalidFrame(f"Unknown action {action!r}", text))
            return
        # What a handler sends besides its answer has the same reference.
        if exchange is not None and not exchange.expects(kind, frame.get("seq")):
            exchange = None
        try:
            message = self._parsed(kind, frame)
        except ValidationError as error:
            if exchange is None:
                raise
            self._exchanges.pop(ref, None)
            exchange.inbox.end(InvalidFrame(f"Invalid answer: {error}", text))
            return
        if exchange is None:
            self._route_pushed(action, ref, message, frame)
            return
        exchange.inbox.put(message)
        if exchange.ends_at_first:
            del self._exchanges[ref]
            exchange.inbox.end()

    def _route_pushed(
        self, action: str, ref: str, message: BaseModel, frame: dict[str, Any]
    ) -> None:
        name = frame.get("topic")
        topic = self.topics.get(str(name))
        if ref.startswith("s."):
            self._spawn(self._answer(action, ref, message, name))
        elif topic is not None:
            topic.seq = frame.get("seq", topic.seq)
            topic.inbox.put(message)
        elif name is None:
            self._pushed.put(message)
            if action == "resync":
                self._spawn(self.on_resync())

    def _kinds_of(self, name: object) -> Mapping[str, Any]:
        topic = self.topics.get(str(name))
        return self.incoming if topic is None else {**self.incoming, **topic.incoming}

    def _parsed(self, kind: Any, frame: dict[str, Any]) -> BaseModel:
        known = self._adapters.get(id(kind))
        if known is None:
            names = frozenset(_field_names(kind))
            known = self._adapters[id(kind)] = TypeAdapter[Any](kind), names
        adapter, names = known
        content = {
            key: value for key, value in frame.items() if key in names or key not in _ENVELOPE
        }
        return cast(BaseModel, adapter.validate_python(content))

    async def _answer(self, action: str, ref: str, message: BaseModel, topic: str | None) -> None:
        handler = self._handlers.get(action)
        if handler is None:
            raise ClientError(f"The server asks {action!r}, which nothing answers")
        await self.send(await handler(message), topic=topic, ref=ref)

    # Sending

    async def send(self, message: BaseModel, *, topic: str | None = None, **envelope: Any) -> None:
        """Send a message, and wait for no answer. Before there is a connection it waits in a bounded queue."""
        await self._send_frame(_frame(message, topic, envelope))

    async def _send_frame(
        self, frame: Mapping[str, Any], exchange: Exchange | None = None, *, is_urgent: bool = False
    ) -> None:
        if self.closed is not None:
            raise self.closed
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
        if self._socket is None or (self._queue and not is_urgent):
            if len(self._queue) >= self.max_queued:
                raise SendQueueFull(f"{self.max_queued} messages wait for the connection")
            self._queue.append((text, exchange))
            return
        if exchange is not None:
            exchange.was_sent = True
        try:
            await self._socket.send(text)
        except SocketClosed as error:
            raise ConnectionLost("The connection was lost") from error

    async def begin_exchange(
        self,
        message: BaseModel,
        topic: str | None,
        answers: tuple[type[BaseModel], ...] | None,
        *,
        ends_at_first: bool = False,
        **envelope: Any,
    ) -> tuple[str, Exchange]:
        """Send a message under a new `ref`; with None for `answers`, a stream answers it."""
        exchange = Exchange(self.max_received, answers, ends_at_first=ends_at_first)
        return await self._begin(_frame(message, topic, envelope), exchange), exchange

    async def _begin(
        self, frame: dict[str, Any], exchange: Exchange, *, is_urgent: bool = False
    ) -> str:
        self._number += 1
        ref = str(self._number)
        self._exchanges[ref] = exchange
        try:
            await self._send_frame({**frame, "ref": ref}, exchange, is_urgent=is_urgent)
        except BaseException:
            self._exchanges.pop(ref, None)
            raise
        return ref

    async def send_request(
        self,
        message: BaseModel,
        *answers: type[T],
        topic: str | None = None,
        is_cancellable: bool = False,
    ) -> T:
        """Send a message and return its one answer. Raises NoAnswer, AnswerError, ConnectionLost."""
        ref, exchange = await self.begin_exchange(message, topic, answers, ends_at_first=True)
        try:
            return cast(T, await exchange.inbox.get())
        except StopAsyncIteration:
            raise NoAnswer(f"The server had no answer to {type(message).__name__}") from None
        finally:
            await self._left(ref, is_cancellable)

    async def collect_answers(
        self,
        message: BaseModel,
        *answers: type[T],
        topic: str | None = None,
        is_cancellable: bool = False,
    ) -> list[T]:
        """Send a message and return everything that answers it, once it is handled."""
        ref, exchange = await self.begin_exchange(message, topic, answers)
        try:
            return [cast(T, answer) async for answer in exchange.inbox]
        finally:
            await self._left(ref, is_cancellable)

    async def _left(self, ref: str, is_cancellable: bool) -> None:
        if is_cancellable:
            await self.abandon_exchange(ref)
        self._exchanges.pop(ref, None)

    async def abandon_exchange(self, ref: str) -> None:
        """Cancel an answer that has not ended."""
        if self._exchanges.pop(ref, None) is not None:
            with suppress(ClientError):
                await self.send_control("cancel", ref)

    async def send_control(self, kind: str, ref: str, payload: int | None = None) -> None:
        """Send a control frame, if the channel has it and the connection is still there."""
        name = self.controls.get(kind)
        if name is not None and self.is_open:
            content = {} if payload is None else {"payload": payload}
            with suppress(ConnectionLost):
                await self._send_frame({self.discriminator: name, **content, "ref": ref})

    async def ask_about_topic(self, kind: str, name: str) -> None:
        """Subscribe to a topic or give it up. Raises TopicRefused."""
        exchange = Exchange(1, ())
        await self._confirmation(
            await self._begin(self._topic_frame(kind, name), exchange), exchange
        )

    def _topic_frame(self, kind: str, name: str) -> dict[str, Any]:
        return {self.discriminator: self.controls.get(kind, kind), "topic": name}

    async def _confirmation(self, ref: str, exchange: Exchange) -> None:
        try:
            await exchange.inbox.get()
        except StopAsyncIteration:
            return
        finally:
            self._exchanges.pop(ref, None)

    def answer_requests(self, action: str, handler: RequestHandler) -> None:
        """Let a function answer the requests of the server with this action."""
        self._handlers[action] = handler


def _frame(message: BaseModel, topic: str | None, envelope: Mapping[str, Any]) -> dict[str, Any]:
    named = {} if topic is None else {"topic": topic}
    return {**message.model_dump(mode="json", by_alias=True), **named, **envelope}


# Any: a message type, or a union of them.
def _field_names(kind: Any) -> set[str]:
    names: set[str] = set()
    for one in kinds_of(kind):
        if issubclass(one, Model):
            names |= {field.alias or name for name, field in one.model_fields.items()}
    return names
