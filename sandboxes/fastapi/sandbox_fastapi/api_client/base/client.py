# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""The base of generated clients: calls, and where each frame that is received belongs."""

import asyncio
import inspect
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from functools import cache
from types import TracebackType
from typing import Any, ClassVar, ParamSpec, Self, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from .connection import Connection
from .errors import (
    ClientError,
    ConnectionClosed,
    ConnectionLost,
    InvalidFrame,
    MessagesDropped,
    NoAnswer,
    answer_error,
)
from .exchange import Exchange, Inbox, kinds_of
from .model import Model
from .policy import Backoff
from .topic import BaseTopic

__all__ = ["BaseClient", "Token"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=BaseModel)
Token = str | Callable[[], str | Awaitable[str]]
# Any: whatever the application's function for a request takes and returns.
RequestHandler = Callable[[Any], Awaitable[BaseModel]]

_log = logging.getLogger(__name__)
_PARAMETER = re.compile(r"\{([^{}]+)\}")
_ENVELOPE = ("version", "topic", "ref", "seq", "window", "cursor")
_ENDS = ("complete", "error", "subscribed", "unsubscribed")


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
        self._url = urlsplit(url)
        self._path = _filled(self.address, params or {})
        self._query = dict(query or {})
        self._headers = dict(headers or {})
        self._token = token
        self._connection = Connection(
            self._target,
            Backoff(self.close_codes, can_refresh=callable(token)) if reconnects else None,
            self,
            options,
            max_queued=self.max_queued,
            heartbeat_interval=self.heartbeat_interval,
        )
        self._number = 0
        self._exchanges: dict[str, Exchange] = {}
        self._handlers: dict[str, RequestHandler] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pushed: Inbox[BaseModel] = Inbox(self.max_received)
        self.topics: dict[str, BaseTopic[Any]] = {}

    # For the application to override

    async def handle_message(self, message: BaseModel) -> None:
        """Handle a message that the server sent by itself: it answers nothing and belongs to no topic."""

    async def on_error(self, error: Exception) -> None:
        """Learn of an error that no call raises: an invalid frame, an unknown action, an error in a handler. Log it."""
        is_usual = isinstance(error, ClientError | OSError)
        _log.warning("%s: %s", type(self).__name__, error, exc_info=None if is_usual else error)

    async def on_resync(self, topic: str | None = None) -> None:
        """Fetch again what is shown: messages may have been lost, of one topic or of the connection."""

    # Life

    @property
    def is_open(self) -> bool:
        """True while there is a connection."""
        return self._connection.socket is not None

    @property
    def closed(self) -> ConnectionClosed | None:
        """Why there is no connection any more."""
        return self._connection.closed

    async def __aenter__(self) -> Self:
        try:
            await self._connection.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection for good."""
        tasks = self._tasks - {cast("asyncio.Task[None]", asyncio.current_task())}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._connection.close()

    async def handle(self) -> None:
        """Connect, and call `handle_message()` until the connection ends for good."""
        async with self:
            while True:
                try:
                    message = await self._pushed.get()
                except StopAsyncIteration:
                    return
                except MessagesDropped as error:
                    await self.on_error(error)
                else:
                    await self._guarded(self.handle_message(message))

    def messages(self) -> AsyncIterator[BaseModel]:
        """Iterate over the messages that the server sends by itself."""
        return self._pushed

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
        url = self._url
        text = "&".join(filter(None, [url.query, urlencode(query)]))
        path = url.path.rstrip("/") + self._path
        return urlunsplit((url.scheme, url.netloc, path, text, "")), headers

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

    # What the connection reports

    async def opened(self, is_first: bool) -> None:
        """Subscribe to the topics again, before anything is sent that may be about them."""
        if is_first:
            return
        for topic in [*self.topics.values()]:
            if topic.is_subscribed:
                asking = self._topic_exchange("subscribe", topic)
                await self._connection.send_now(asking)
                self._spawn(self._subscribed_again(topic, asking))
        self._spawn(self.on_resync())

    async def _subscribed_again(self, topic: BaseTopic[Any], asking: Exchange) -> None:
        try:
            await self._confirmation(asking)
        except ConnectionLost:
            return  # the next connection does it
        except ClientError as error:
            self.topics.pop(topic.name, None)
            topic.inbox.end(error)
            return
        if not topic.recovered:
            await self.on_resync(topic.name)

    def lost(self, error: ConnectionLost | ConnectionClosed) -> None:
        """Fail what was sent; what waits to be sent waits on, unless the connection ended for good."""
        is_over = isinstance(error, ConnectionClosed)
        for exchange in [*self._exchanges.values()]:
            if exchange.was_sent or is_over:
                self._connection.withdraw(exchange)
                self._end_exchange(exchange, error)
        if is_over:
            self._pushed.end()
            for topic in self.topics.values():
                topic.inbox.end(error)

    def received(self, text: str | bytes) -> None:
        """Pass a frame to where it belongs."""
        try:
            frame = from_json(text)
            if not isinstance(frame, dict):
                raise ValueError("it is no object")
            self._route(cast("dict[str, Any]", frame))
        except ValueError as error:  # of JSON and of pydantic
            shown = text.decode(errors="replace") if isinstance(text, bytes) else text
            is_known = isinstance(error, _Unknown)
            self.report_error(
                InvalidFrame(f"{'' if is_known else 'Invalid frame: '}{error}", shown)
            )

    def _route(self, frame: dict[str, Any]) -> None:
        action, ref, name = frame.get(self.discriminator), frame.get("ref"), frame.get("topic")
        exchange = self._exchanges.get(ref) if isinstance(ref, str) else None
        topic = exchange.topic if exchange else self.topics.get(str(name))
        if action == "heartbeat":
            self._connection.has_heartbeat = True
        elif exchange and frame.get("seq") is None and action in _ENDS:
            is_error = action == "error"
            if action == "subscribed" and topic is not None:
                topic.confirm(frame.get("payload"))
            self._end_exchange(exchange, answer_error(frame.get("payload")) if is_error else None)
        elif action == "error" and str(ref).startswith("s."):
            self.report_error(answer_error(frame.get("payload")))
        elif name is None or topic is not None:  # of a topic that was given up, some are on the way
            kind = self._kind(str(action), topic)
            if exchange and exchange.expects(kind, frame.get("seq")):
                self._answered(exchange, kind, frame)
            else:
                self._route_pushed(str(action), kind, frame, topic)

    # Any: a message type, or a union of them.
    def _kind(self, action: str, topic: BaseTopic[Any] | None) -> Any:
        kind = (topic and topic.incoming.get(action)) or self.incoming.get(action)
        if kind is None:
            raise _Unknown(f"Unknown action {action!r}")
        return kind

    def _answered(self, exchange: Exchange, kind: Any, frame: dict[str, Any]) -> None:
        try:
            exchange.inbox.put(_parser(kind)(frame))
        except ValidationError as error:
            exchange.inbox.end(InvalidFrame(f"Invalid answer: {error}", to_json(frame).decode()))
        if exchange.ends_at_first:
            self._end_exchange(exchange)

    def _route_pushed(
        self, action: str, kind: Any, frame: dict[str, Any], topic: BaseTopic[Any] | None
    ) -> None:
        ref, seq = str(frame.get("ref")), frame.get("seq")
        message = _parser(kind)(frame)
        if ref.startswith("s."):
            self._spawn(self._answer(action, ref, message, topic))
        elif topic is not None:
            topic.seq = topic.seq if seq is None else seq
            topic.cursor = frame.get("cursor") or topic.cursor
            if action == "resync":
                self._spawn(self.on_resync(topic.name))
            else:
                topic.inbox.put(message)
        else:
            self._pushed.put(message)
            if action == "resync":
                self._spawn(self.on_resync())

    async def _answer(
        self, action: str, ref: str, message: BaseModel, topic: BaseTopic[Any] | None
    ) -> None:
        handler, socket = self._handlers.get(action), self._connection.socket
        if handler is None:
            raise ClientError(f"The server asks {action!r}, which nothing answers")
        answer = await handler(message)
        # The question has ended with its connection; the next one has others under the same references.
        if socket is self._connection.socket is not None:
            await self._connection.send_now(Exchange(_text(answer, topic, ref=ref)))

    # Calls

    async def send(self, message: BaseModel, *, topic: BaseTopic[Any] | None = None) -> None:
        """Send a message, and wait for no answer. Before there is a connection it waits in a bounded queue."""
        await self._connection.send(Exchange(_text(message, topic)))

    def new_exchange(
        self,
        message: BaseModel,
        topic: BaseTopic[Any] | None,
        answers: tuple[type[BaseModel], ...] | None,
        *,
        ends_at_first: bool = False,
        window: int | None = None,
    ) -> Exchange:
        """Make a message under a new `ref`; with None for `answers`, a stream answers it."""
        ref = self._next_ref()
        credit = {} if window is None else {"window": window}
        text = _text(message, topic, **credit, ref=ref)
        return Exchange(
            text, ref, topic, answers, limit=self.max_received, ends_at_first=ends_at_first
        )

    def _next_ref(self) -> str:
        self._number += 1
        return str(self._number)

    async def begin(self, exchange: Exchange) -> None:
        """Send the message of an exchange."""
        self._exchanges[exchange.ref] = exchange
        await self._connection.send(exchange)

    async def abandon(self, exchange: Exchange, *, cancels: bool) -> None:
        """Discard what still answers a message; `cancels` asks the server to stop."""
        if exchange.ref not in self._exchanges:
            return
        exchange.inbox.end()
        if not exchange.was_sent:
            self._connection.withdraw(exchange)
            del self._exchanges[exchange.ref]
        elif cancels:
            with suppress(ClientError):
                await self.send_control("cancel", exchange)

    def _end_exchange(self, exchange: Exchange, error: Exception | None = None) -> None:
        self._exchanges.pop(exchange.ref, None)
        exchange.inbox.end(error)

    async def send_request(
        self,
        message: BaseModel,
        *answers: type[T],
        topic: BaseTopic[Any] | None = None,
        is_cancellable: bool = False,
    ) -> T:
        """Send a message and return its one answer. Raises NoAnswer, AnswerError, ConnectionLost."""
        exchange = self.new_exchange(message, topic, answers, ends_at_first=True)
        try:
            await self.begin(exchange)
            return cast(T, await exchange.inbox.get())
        except StopAsyncIteration:
            raise NoAnswer(f"The server had no answer to {type(message).__name__}") from None
        finally:
            await self.abandon(exchange, cancels=is_cancellable)

    async def collect_answers(
        self,
        message: BaseModel,
        *answers: type[T],
        topic: BaseTopic[Any] | None = None,
        is_cancellable: bool = False,
    ) -> list[T]:
        """Send a message and return everything that answers it, once it is handled."""
        exchange = self.new_exchange(message, topic, answers)
        try:
            await self.begin(exchange)
            return [cast(T, answer) async for answer in exchange.inbox]
        finally:
            await self.abandon(exchange, cancels=is_cancellable)

    async def retry(
        self, call: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Make a call, and again on the next connection while one is lost before the answer. It must be idempotent."""
        while True:
            with suppress(ConnectionLost):
                return await call(*args, **kwargs)

    async def send_control(self, kind: str, exchange: Exchange, payload: int | None = None) -> None:
        """Send a control frame about an exchange, if the channel has it and the connection is still there."""
        name = self.controls.get(kind)
        if name is not None and self.is_open:
            content = {} if payload is None else {"payload": payload}
            frame = {self.discriminator: name, **content, "ref": exchange.ref}
            with suppress(ConnectionLost):
                await self._connection.send_now(Exchange(to_json(frame).decode()))

    async def ask_about_topic(self, kind: str, topic: BaseTopic[Any]) -> None:
        """Subscribe to a topic or give it up. Raises TopicRefused."""
        exchange = self._topic_exchange(kind, topic)
        try:
            await self._connection.send(exchange)
            await self._confirmation(exchange)
        finally:
            await self.abandon(exchange, cancels=False)

    def _topic_exchange(self, kind: str, topic: BaseTopic[Any]) -> Exchange:
        ref, name = self._next_ref(), self.controls.get(kind, kind)
        goes_on = kind == "subscribe" and topic.cursor is not None
        since = {"payload": {"since": topic.cursor}} if goes_on else {}
        frame = {self.discriminator: name, **since, "topic": topic.name, "ref": ref}
        exchange = self._exchanges[ref] = Exchange(to_json(frame).decode(), ref, topic)
        return exchange

    async def _confirmation(self, exchange: Exchange) -> None:
        with suppress(StopAsyncIteration):
            await exchange.inbox.get()

    def answer_requests(self, action: str, handler: RequestHandler) -> None:
        """Let a function answer the requests of the server with this action."""
        self._handlers[action] = handler


class _Unknown(ValueError):
    """An action that the document does not have."""


def _filled(address: str, params: Mapping[str, object]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in params:
            raise ValueError(f"params has no {found[1]!r}, which {address!r} needs")
        return quote(str(params[found[1]]), safe="")

    return _PARAMETER.sub(value, address)


# Any: values of the envelope.
def _text(message: BaseModel, topic: BaseTopic[Any] | None, **envelope: Any) -> str:
    """Write a message with its envelope, whose values win."""
    content = message.model_dump_json(by_alias=True)
    if topic is not None:
        envelope["topic"] = topic.name
    if not envelope:
        return content
    joint = "" if content == "{}" else ","
    return f"{content[:-1]}{joint}{to_json(envelope).decode()[1:]}"


# Any: a message type, or a union of them; a frame.
@cache
def _parser(kind: Any) -> Callable[[dict[str, Any]], BaseModel]:
    """Return a function that makes a message of a frame, without the keys of the envelope."""
    models = [one for one in kinds_of(kind) if issubclass(one, Model)]
    names = {field.alias or name for one in models for name, field in one.model_fields.items()}
    others = [key for key in _ENVELOPE if key not in names]
    adapter = TypeAdapter[BaseModel](kind)

    def parse(frame: dict[str, Any]) -> BaseModel:
        for key in others:
            frame.pop(key, None)
        return adapter.validate_python(frame)

    return parse
