"""What declares and handles messages: the base of everything that has handlers."""

from abc import ABC
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from chanx.constants import COMPLETE_ACTIONS
from chanx.core._connection.connection import Connection
from chanx.core._connection.dispatcher import FrameDispatcher
from chanx.core._declarations.checks import check_declarations
from chanx.core._telemetry.failure_log import log_failure
from chanx.core._wire.error_frames import error_items
from chanx.core.codec import Codec
from chanx.core.integration import Integration
from chanx.core.passthrough import add_passthrough_handlers
from chanx.core.spec import SYSTEM_MESSAGES, ConsumerSpec
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import ErrorMessage, EventCompleteMessage
from chanx.type_defs import EventPayload

__all__ = ["MessageEndpoint"]

M = TypeVar("M", bound=BaseMessage)
T = TypeVar("T")


class _FromSpec(Generic[T]):
    """A class attribute that the class's declarations have, unless the class has an attribute of that name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: "type[MessageEndpoint]") -> T:
        return cast(T, getattr(owner.spec, self._name))


_Adapter = _FromSpec[TypeAdapter[Any] | None]


class MessageEndpoint:
    """Declares handlers, and handles the messages and events that reach it on one connection.

    It owns no socket: a subclass says how messages get to its client in `_write()`, and sets `_connection` and
    `_frames`, which dispatches to it.
    """

    if TYPE_CHECKING:
        camelize: bool
        send_completion: bool
        log_ignored_actions: Collection[str]
        name: str
        """The name of the class without `Consumer`."""
        snake_name: str
        """The same in snake case: the name of the channel in documents, unless `@channel` gives another."""
    else:
        name = _FromSpec("name")
        snake_name = _FromSpec("snake_name")

    emits: ClassVar[Sequence[Any]] = ()
    passthrough_events: ClassVar[Sequence[Any]] = ()
    passthrough_method_prefix: ClassVar[str] = "handle_passthrough_"
    control_actions: ClassVar[Mapping[str, str]] = {}
    """Other names for `cancel` and `more`, for a class with handlers of such names."""
    requests: ClassVar[Mapping[type[BaseMessage], type[BaseMessage]]] = {}
    """What `request()` sends to clients, with the message that answers each, for documents."""

    spec: ConsumerSpec
    """What the class declares, read once when it is created."""
    incoming_message_adapter: ClassVar[_Adapter] = _FromSpec("incoming_adapter")
    incoming_event_adapter: ClassVar[_Adapter] = _FromSpec("event_adapter")
    outgoing_message_adapter: ClassVar[_Adapter] = _FromSpec("outgoing_adapter")

    # Set by the consumer base class of each framework.
    _integration: ClassVar[Integration] = Integration()
    # What the library itself sends under the name of such a class, and the keys beside a message that address it.
    _system_messages: ClassVar[tuple[type[BaseMessage], ...]] = SYSTEM_MESSAGES
    _address_keys: ClassVar[frozenset[str]] = frozenset()
    # The base class of what `authenticator_class` may name; None where there is no such option.
    _authenticators: ClassVar[type[ABC] | None] = None
    # Set for one connection.
    _connection: Connection
    _frames: FrameDispatcher

    # Any: whatever a base class of the user's takes.
    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read and check the declarations of a class."""
        super().__init_subclass__(**kwargs)
        check_declarations(cls, cls._integration, cls._authenticators)
        if cls.passthrough_events:
            add_passthrough_handlers(cls, cls.passthrough_method_prefix, cls._integration)
        cls.spec = ConsumerSpec(cls, cls._integration)
        cls.spec.resolve_early()

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

    # Messages

    async def send_message(self, message: BaseMessage, *, validate: bool = False) -> None:
        """Send a message to this client.

        `validate` checks first that the class declares it, and raises ValidationError where it does not.
        """
        if validate:
            cast("TypeAdapter[Any]", self.outgoing_message_adapter).validate_python(
                message.model_dump(mode="json")
            )
        if type(message) is ErrorMessage:
            exchange = self._connection.exchanges.current()
            if exchange is not None:
                exchange.failed = True
        await self._write(message)
        if self._connection.notifier is not None:
            self._connection.notifier.replied(message)

    async def _write(self, message: BaseMessage) -> None:
        """Write a message to the socket; what owns it says how."""
        raise NotImplementedError

    async def handle_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        """Validate a message and pass it to `receive_message()`, then send the completion."""
        await self._frames.handle_message_object(content)

    async def receive_message(self, message: BaseMessage) -> None:
        """Call the handler of a validated message."""
        await self._frames.runner.run(message)

    async def handle_result(self, result: BaseMessage) -> None:
        """Send what a handler returned."""
        await self.send_message(result)

    async def handle_validation_error(self, error: ValidationError) -> None:
        """Tell the client what is wrong with its message."""
        codec = self._codec
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

    async def request(
        self, message: BaseMessage, answer_type: type[M], *, timeout: float | None = 30.0
    ) -> M:
        """Ask the client, and return its answer, also inside a handler that others wait for.

        Raises TimeoutError without an answer within `timeout` seconds, RuntimeError where `max_requests` wait already.
        An invalid answer gets the validation error, and the wait goes on.
        """
        return cast(M, await self._connection.request(message, answer_type, timeout, self))

    @property
    def _codec(self) -> Codec:
        return self._frames.codec

    # Events

    async def handle_channel_event(self, event_payload: EventPayload) -> None:
        """Validate an event from the layer and pass it to `receive_event()`."""
        event = self.spec.parse_event(event_payload)
        if event is not None:
            await self.receive_event(event)

    async def receive_event(self, event: BaseMessage) -> None:
        """Call the handler of a validated event and send what it returns."""
        await self._frames.runner.run_event(event)
        if self.should_send_completion:
            await self.send_message(EventCompleteMessage())

    async def handle_event_handler_error(
        self, error: Exception, action: str, event: BaseMessage
    ) -> None:
        """Log an event handler's exception; the client, who did not ask, is told nothing.

        Not called for application errors such as `MessageError`, which are sent to the client.
        """
        log_failure(self, "Failed to process event", error, action=action)
