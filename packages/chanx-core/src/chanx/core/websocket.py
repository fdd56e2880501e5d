"""The consumer class: what users subclass, over the parts that do the work."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pydantic import TypeAdapter, ValidationError

from chanx.constants import COMPLETE_ACTIONS
from chanx.core import _guard as _guard
from chanx.core._connection.application_errors import answer_application_error
from chanx.core._connection.connection import Connection
from chanx.core._connection.dispatcher import text_of
from chanx.core._connection.handshake import admit
from chanx.core._declarations.checks import check_declarations
from chanx.core._declarations.shortcuts import Shortcuts
from chanx.core._groups.fanout import group_content
from chanx.core._ports import MessageGuard
from chanx.core._publisher import Publisher, ReceiveEvent
from chanx.core._runtime.containment import contained
from chanx.core._telemetry.failure_log import log_failure
from chanx.core._telemetry.log_context import connection_fields
from chanx.core._telemetry.notifier import Notifier
from chanx.core._wire.error_frames import InvalidFrameError, error_items, malformed
from chanx.core._wire.schema import WireFormat
from chanx.core.authenticator import BaseAuthenticator
from chanx.core.codec import Codec, adapter_of, checked_message
from chanx.core.exceptions import MessageError
from chanx.core.handlers import HandlerSpec, ParameterResolver
from chanx.core.layers import layer_alias
from chanx.core.limits import spread
from chanx.core.observers import observers
from chanx.core.passthrough import add_passthrough_handlers
from chanx.core.probe import PROBE_KEY, Probe
from chanx.core.spec import ConsumerSpec
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import ErrorMessage, EventCompleteMessage, GroupCompleteMessage
from chanx.type_defs import (
    ASGIEvent,
    ASGIReceive,
    ASGISend,
    EventPayload,
    GroupMessageEvent,
    JSONObject,
    Scope,
)
from chanx.utils.logging import logger
from chanx.utils.scope import complete_scope, path_params

__all__ = ["ChanxWebsocketConsumerMixin", "ReceiveEvent"]


class _UnionAdapter:
    """A class attribute: the adapter of a class's messages, built when first asked for; None without any."""

    def __init__(self, messages: str) -> None:
        self._messages = messages
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    def __get__(
        self, instance: object, owner: "type[ChanxWebsocketConsumerMixin[Any]]"
    ) -> "TypeAdapter[Any] | None":
        if self._name not in vars(owner):
            message_types = getattr(owner.spec, self._messages)
            setattr(owner, self._name, adapter_of(message_types) if message_types else None)
        return cast("TypeAdapter[Any] | None", vars(owner)[self._name])


class _SpecName:
    """A class attribute: a name from the class's declarations, unless the class has an attribute of that name."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: "type[ChanxWebsocketConsumerMixin[Any]]") -> str:
        return cast(str, getattr(owner.spec, self._name))


class ChanxWebsocketConsumerMixin(Publisher[ReceiveEvent]):
    """Routes, validates, orders, answers and broadcasts typed messages on one WebSocket.

    Integrations combine it with the consumer base class of their framework. One instance serves one connection; the
    type parameter names the events that the class can be sent.
    """

    # Set by integrations.
    before_dispatch: ClassVar[Any] = None  # Callable[[], Awaitable[None]] | None
    """Awaited before each message and event is handled; None costs nothing."""
    accept_errors: ClassVar[tuple[type[Exception], ...]] = ()
    """What `connect()` may raise to accept the handshake."""
    deny_errors: ClassVar[tuple[type[Exception], ...]] = ()
    """What `connect()` may raise to refuse it."""

    if TYPE_CHECKING:
        name: str
        """The name of the class without `Consumer`."""
        snake_name: str
        """The same in snake case: the name of the channel in documents, unless `@channel` gives another."""
    else:
        name = _SpecName()
        snake_name = _SpecName()

        # The frameworks annotate both, one as a class variable and one as an instance's.
        channel_layer_alias = "default"

        @property
        def channel_name(self) -> str:
            """The name of this connection's own channel, which is listened to from when somebody asks for it."""
            return self.connection.listen()

    emits: ClassVar[Sequence[Any]] = ()
    passthrough_events: ClassVar[Sequence[Any]] = ()
    passthrough_method_prefix: ClassVar[str] = "handle_passthrough_"
    authenticator_class: ClassVar[type[BaseAuthenticator] | None] = None

    # Read from the declarations at class creation.
    spec: ClassVar[ConsumerSpec]
    has_own_alias: ClassVar[bool] = False
    _codecs: ClassVar[dict[tuple[WireFormat, int], Codec]]
    shortcuts: ClassVar[Shortcuts] = Shortcuts()

    # Of one connection.
    if TYPE_CHECKING:
        channel_name: str
    scope: Scope
    groups: list[str]
    channel_layer: Any  # whichever library's layer
    authenticator: BaseAuthenticator | None = None
    connection: Connection

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read and check the declarations of a consumer class."""
        super().__init_subclass__(**kwargs)
        check_declarations(cls, BaseAuthenticator)
        if "limits" in vars(cls):
            spread(cls.limits, cls)
        if cls.passthrough_events:
            add_passthrough_handlers(cls, cls.passthrough_method_prefix)
        cls.spec = ConsumerSpec(cls)
        cls.has_own_alias = cls._names_its_layer()
        cls._codecs = {}
        cls.spec.resolve_early()
        cls.shortcuts = Shortcuts.of(cls, ChanxWebsocketConsumerMixin)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        own = list(self.groups or ())
        super().__init__(*args, **kwargs)
        self.groups = list(dict.fromkeys([*own, *type(self).spec.extra_groups]))
        if self.authenticator_class is not None:
            self.authenticator = self.authenticator_class(self.send_message)
            self.authenticator.consumer = self

    # Hooks of integrations

    @classmethod
    def as_guard(cls, candidate: object, where: str) -> MessageGuard:
        """Make a guard of what `@ws_handler(guards=[...])` was given.

        Integrations take more than guards. Raises TypeError for what is none.
        """
        if isinstance(candidate, MessageGuard) and not isinstance(candidate, type):
            return candidate
        raise TypeError(f"{candidate!r} in the guards of {where} is not a Guard instance.")

    @classmethod
    def has_provisions(cls) -> bool:
        """Tell whether `provide()` has anything to do."""
        return False

    async def provide(self) -> tuple[int, str] | None:
        """Make ready what the connection depends on, once its client is authenticated.

        Integrations resolve dependencies. Returns a close code and a reason to turn the client away with.
        """
        return None

    @classmethod
    def parameter_resolver(
        cls, function: Callable[..., Any], parameters: list[inspect.Parameter], where: str
    ) -> ParameterResolver | None:
        """Find who provides a handler's parameters beside the message; None where nobody has to.

        Integrations provide dependencies. Raises TypeError for a parameter that nobody provides.
        """
        for parameter in parameters:
            if parameter.default is inspect.Parameter.empty:
                raise TypeError(
                    f"{where} has a parameter {parameter.name!r} that nobody provides: "
                    "give it a default or remove it."
                )
        return None

    @classmethod
    def error_items_of(cls, error: Exception) -> list[JSONObject] | None:
        """Return the items of the error frame that answers an application error; None for a failure.

        Each has `type`, `loc` and `msg`. Integrations add the exceptions of their framework.
        """
        return [error.item] if isinstance(error, MessageError) else None

    @classmethod
    def close_of(cls, error: Exception) -> tuple[int, str] | None:
        """Return the close code and reason that an exception stands for; None for any other.

        Integrations add the exceptions of their framework.
        """
        return None

    @classmethod
    def expects_group_messages(cls) -> bool:
        """Tell whether clients may receive group messages, as far as that is known before one connects.

        Without a channel layer there are none. The layer of the default alias may be registered later: until then,
        declared groups count.
        """
        alias = layer_alias(cls)
        if not alias or cls.has_own_alias:
            return bool(alias)
        has_groups = cls.groups or cls.spec.extra_groups or not cls.shortcuts.groups
        return bool(has_groups) or cls.get_channel_layer(alias) is not None

    # Types

    incoming_message_adapter: ClassVar[_UnionAdapter] = _UnionAdapter("incoming_messages")
    incoming_event_adapter: ClassVar[_UnionAdapter] = _UnionAdapter("incoming_events")
    outgoing_message_adapter: ClassVar[_UnionAdapter] = _UnionAdapter("outgoing_messages")

    @classmethod
    def wire_format(cls) -> WireFormat:
        """Return how the class's messages look on the socket."""
        return WireFormat(cls.discriminator_field, cls.camelize, cls.camelize_dicts)

    @classmethod
    def codec(cls, wire: WireFormat) -> Codec:
        """Return the codec of the class in a wire format."""
        depth = cls.max_json_depth
        codec = cls._codecs.get((wire, depth))
        if codec is None:
            codec = cls._codecs[wire, depth] = Codec(
                cls.spec.incoming_messages,
                cls.spec.outgoing_messages,
                wire,
                max_depth=depth,
                on_undeclared=cls.spec.log_undeclared,
            )
        return codec

    # Options in force

    @property
    def should_send_completion(self) -> bool:
        """Whether completion messages are sent."""
        return self.send_completion

    @property
    def should_camelize(self) -> bool:
        """Whether field names travel in camel case."""
        return self.camelize

    @property
    def all_log_ignored_actions(self) -> set[str]:
        """Actions that are not logged: the ignored ones and completions."""
        return {*self.log_ignored_actions, *COMPLETE_ACTIONS}

    @property
    def url_params(self) -> dict[str, Any]:
        """The parameters of the path."""
        return path_params(self.scope)

    # One connection

    async def __call__(self, scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        """Serve one WebSocket as an ASGI application."""
        self.scope = complete_scope(scope)
        layer = self._find_layer()
        self.channel_layer = layer
        with connection_fields(type(self), self.scope):
            found = observers()
            notifier = Notifier(self, found) if found else None
            self.connection = Connection(self, receive, send, layer, notifier)
            probe: Probe | None = scope.get(PROBE_KEY)
            if probe is not None:
                probe(self.connection)
            await self.connection.run()

    async def websocket_connect(self, message: Any) -> None:
        """Admit the connection or deny it.

        The order: origin, `connect()`, authentication, groups, `post_authentication()`. Client frames that come
        meanwhile wait, and are handled only if the connection is admitted.
        """
        await admit(self)

    async def connect(self) -> None:
        """Accept the handshake. Override to choose a subprotocol or headers, or to refuse.

        An override ends with `await self.accept(...)` or `await self.close()`. It finds `channel_layer` and
        `channel_name` in place. The client is not admitted yet, so `disconnect()` may never be called: acquire what
        it releases in `post_authentication()`.

        Join groups with `join_group()`: they are left however the connection ends. A group that is joined on the
        channel layer itself (`group_add()`) is left only if its name is added to `self.groups`.
        """
        await self.accept()

    async def get_groups(self) -> list[str]:
        """Return groups to join in addition to `groups`, once the client is authenticated. Override."""
        return []

    async def on_resync(self) -> None:
        """Run when the channel layer is back after it failed: messages of groups may have been lost. Override."""

    async def post_authentication(self) -> None:
        """Run once the connection is admitted: authenticated, and its groups joined. Override."""

    async def websocket_disconnect(self, message: Any) -> None:
        """End the connection: call `disconnect()` if it was admitted. Its handlers have ended."""
        logger.info("Disconnecting websocket, close code %s", message["code"])
        if self.connection.admitted:
            await self.disconnect(message["code"])

    async def disconnect(self, code: int) -> None:
        """Run when an admitted connection has ended, however it ended. Override.

        It is admitted once origin, `connect()`, authentication and groups have passed, also if
        `post_authentication()` raises. Its groups are left afterwards.
        """

    async def accept(
        self, subprotocol: str | None = None, headers: Iterable[tuple[bytes, bytes]] | None = None
    ) -> None:
        """Accept the handshake."""
        await self.connection.accept(subprotocol, list(headers or ()))

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        """Close the connection behind what was sent before; 1000 without a code."""
        await self.connection.close(None if isinstance(code, bool) else code, reason)

    # Receiving

    async def websocket_receive(self, message: ASGIEvent) -> None:
        """Take one frame from the server."""
        if message.get("text") is None:
            await self.receive(bytes_data=message.get("bytes"))
        else:
            await self.receive(text_data=message["text"])

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Parse one frame and pass it to `receive_json()`."""
        try:
            content = await self.decode_json(text_of({"text": text_data}))
        except InvalidFrameError:
            raise
        except Exception as error:
            logger.debug("Frame could not be parsed: %r", error)
            raise malformed("json_invalid", "Invalid JSON") from error
        await self.receive_json(content, **kwargs)

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """Parse the text of a frame."""
        return cls.codec(cls.wire_format()).parse(text_data)

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        """Take the envelope off a parsed frame and pass the message to `handle_json()`."""
        await self.connection.frames.handle_object(content)

    async def handle_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        """Validate a message and pass it to `receive_message()`, then send the completion."""
        try:
            await self.connection.frames.handle_message_object(content)
        except InvalidFrameError as error:
            await self.connection.frames.reject(error)

    async def receive_message(self, message: BaseMessage) -> None:
        """Call the handler of a validated message."""
        await self.connection.frames.run_handler(message)

    async def handle_result(self, result: BaseMessage) -> None:
        """Send what a handler returned."""
        await self.send_message(result)

    async def handle_validation_error(self, error: ValidationError) -> None:
        """Tell the client what is wrong with its message."""
        codec = self.connection.codec
        await self.send_message(
            ErrorMessage(payload=error_items(error, actions=codec.actions, names=codec.names))
        )

    async def handle_json_processing_error(self, error: Exception) -> None:
        """Log a failure outside a handler and tell the client that there was one."""
        log_failure(self, "Failed to process message", error)
        await self.send_message(ErrorMessage(payload={"detail": "Failed to process message"}))

    async def handle_message_handler_error(
        self, error: Exception, action: str, message: BaseMessage
    ) -> None:
        """Log a handler's exception and tell the client that there was one; its text stays here.

        Not called for application errors such as `MessageError`, which are answered by a frame of their own.
        """
        log_failure(self, "Failed to process message", error, action=action)
        await self.send_message(
            ErrorMessage(payload={"detail": f"Failed to process message for {action}"})
        )

    # Sending

    async def send_message(self, message: BaseMessage, *, validate: bool = False) -> None:
        """Send a message to this client.

        `validate` checks first that the class declares it, and raises ValidationError where it does not.
        """
        if validate:
            cast("TypeAdapter[Any]", self.outgoing_message_adapter).validate_python(
                message.model_dump(mode="json")
            )
        if type(message) is ErrorMessage:
            exchange = self.connection.frames.exchanges.current()
            if exchange is not None:
                exchange.failed = True
        if self.shortcuts.send:
            await self.connection.send_text(self.connection.codec.encode(message), message.action)
        else:
            await self.send_json(message.model_dump(mode="json"))
        if self.connection.notifier is not None:
            self.connection.notifier.replied(message)

    async def send_json(self, content: dict[str, Any], close: bool = False) -> None:
        """Send a message that is a dictionary, with `action` and the field names of its class."""
        if self.shortcuts.send:
            text = self.connection.codec.encode_object(content)
            await self.connection.send_text(text, content.get("action"))
        else:
            await self.send(text_data=await self.encode_json(content))
        if close:
            await self.close()

    @classmethod
    async def encode_json(cls, content: Any) -> str:
        """Write a message as text."""
        return cls.codec(cls.wire_format()).encode_object(content)

    async def send(
        self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False
    ) -> None:
        """Send one frame."""
        if text_data is not None:
            await self.connection.send_text(text_data, None)
        elif bytes_data is not None:
            await self.connection.send_bytes(bytes_data)
        else:
            raise ValueError("You must pass one of bytes_data or text_data")
        if close:
            await self.close(close)

    # Groups

    async def join_group(self, group: str) -> None:
        """Join a group, and leave it when the connection ends."""
        await self.connection.join(group)
        if group not in self.groups:
            self.groups.append(group)

    async def leave_group(self, group: str) -> None:
        """Leave a group."""
        await self.connection.leave(group)
        if group in self.groups:
            self.groups.remove(group)

    async def broadcast_message(
        self,
        message: BaseMessage | dict[str, Any],
        groups: Collection[str] | str | None = None,
        *,
        exclude_current: bool = False,
    ) -> None:
        """Send a message to every member of the groups, `self.groups` by default.

        Members receive `is_current` beside it, true for the sender, unless `exclude_current` leaves the sender out.
        """
        content = message.model_dump(mode="json") if isinstance(message, BaseMessage) else message
        event: GroupMessageEvent = {
            "type": "handle_group_message",
            "message": content,
            "exclude_current": exclude_current,
            "from_channel": self.connection.sender_channel,
        }
        await self._send_to_groups(self.groups if groups is None else groups, event)

    async def handle_group_message(self, event: GroupMessageEvent) -> None:
        """Pass a group's message to the client, with `is_current` beside it."""
        sender = event.get("from_channel")
        is_current = bool(sender) and sender == self.connection.channel
        if is_current and event.get("exclude_current"):
            return
        shown = is_current if self.group_message_metadata else None
        await self.send_json(group_content(event, self.connection.codec, is_current=shown))
        if self.should_send_completion:
            await self.send_message(GroupCompleteMessage())

    # Events

    async def handle_channel_event(self, event_payload: EventPayload) -> None:
        """Validate an event from the layer and pass it to `receive_event()`."""
        event = self.parse_event(event_payload)
        if event is not None:
            await self.receive_event(event)

    @classmethod
    def parse_event(cls, event_payload: EventPayload) -> BaseMessage | None:
        """Validate an event from the layer; what is none of the class's is logged, and None is returned."""
        adapter = cls.incoming_event_adapter
        if adapter is None:
            logger.warning("Event for a consumer without event handlers: %s", cls.__name__)
            return None
        try:
            return cast(BaseMessage, adapter.validate_python(event_payload.get("event_data", {})))
        except ValidationError as error:
            logger.warning("Invalid event for %s: %d errors", cls.__name__, error.error_count())
            return None

    async def receive_event(self, event: BaseMessage) -> None:
        """Call the handler of a validated event and send what it returns."""
        notifier = self.connection.notifier
        if notifier is None:
            await self._run_event_handler(event)
        else:
            with notifier.handling(event):
                await self._run_event_handler(event)
        if self.should_send_completion:
            await self.send_message(EventCompleteMessage())

    async def _run_event_handler(self, event: BaseMessage) -> None:
        try:
            handler = self.spec.handlers.events[event.action]
            if self.handler_timeout is None:
                result = await self._handle_event(handler, event)
            else:
                async with asyncio.timeout(self.handler_timeout):
                    result = await self._handle_event(handler, event)
            if result is not None:
                await self.send_message(checked_message(result))
        except BaseException as error:
            failure = await contained(error, self.connection)
            self.connection.failed(failure, event)
            if not await answer_application_error(self, failure, event.action):
                await self.handle_event_handler_error(failure, event.action, event)

    async def _handle_event(self, handler: HandlerSpec, event: BaseMessage) -> BaseMessage | None:
        handle: Callable[..., Awaitable[BaseMessage | None]] = getattr(self, handler.method_name)
        if handler.resolver is None:
            return await handle(event)
        async with handler.resolver(self, event) as parameters:
            return await handle(event, **parameters)

    async def handle_event_handler_error(
        self, error: Exception, action: str, event: BaseMessage
    ) -> None:
        """Log an event handler's exception; the client, who did not ask, is told nothing.

        Not called for application errors such as `MessageError`, which are sent to the client.
        """
        log_failure(self, "Failed to process event", error, action=action)
