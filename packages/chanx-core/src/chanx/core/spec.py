"""What a consumer class declares: handlers, events, messages, channel metadata; read once."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Protocol, cast

from pydantic import TypeAdapter, ValidationError

from chanx.constants import CHANX_ACTIONS
from chanx.core._declarations.channel_layer import ChannelLayerChoice
from chanx.core._declarations.envelope_fields import warn_of_envelope_fields
from chanx.core._declarations.shortcuts import Shortcuts
from chanx.core._declarations.topic_names import TopicNames
from chanx.core._history.store import History
from chanx.core._user_classes import user_attributes
from chanx.core._wire.envelope import REPLY_KEYS
from chanx.core.codec import Codec, WireFormat, adapter_of
from chanx.core.decorators import CHANNEL_ATTRIBUTE
from chanx.core.handlers import HandlerKind, HandlerSpec, flatten_types, handler_of, is_message_type
from chanx.core.integration import Integration
from chanx.messages.base import BaseMessage, message_actions
from chanx.messages.outgoing import (
    AuthenticationMessage,
    CompleteMessage,
    ErrorMessage,
    EventCompleteMessage,
    GroupCompleteMessage,
    HeartbeatMessage,
    ResyncMessage,
)
from chanx.messages.topic import RecoveredMessage, SubscribedMessage, UnsubscribedMessage
from chanx.type_defs import ChannelInfo, EventPayload
from chanx.utils.logging import logger
from chanx.utils.text import snake_case

__all__ = ["ConsumerSpec", "Control", "Handlers", "TopicClass", "TopicControl"]

Control = Literal["cancel", "more"]
TopicControl = Literal["subscribe", "unsubscribe"]

SYSTEM_MESSAGES: tuple[type[BaseMessage], ...] = (
    CompleteMessage,
    GroupCompleteMessage,
    EventCompleteMessage,
    ErrorMessage,
    AuthenticationMessage,
    ResyncMessage,
    HeartbeatMessage,
)
"""What the library itself sends to the clients of consumers."""
TOPIC_MESSAGES: tuple[type[BaseMessage], ...] = (SubscribedMessage, UnsubscribedMessage)
"""What it sends about topics besides."""
_ABOUT_TOPICS: tuple[type[BaseMessage], ...] = (*TOPIC_MESSAGES, RecoveredMessage)
# Not `heartbeat`: a class may have a message of that name, and sends none of ours then.
_RESERVED_ACTIONS = CHANX_ACTIONS | {"authentication", "resync"}


class TopicClass(Protocol):
    """A class of topics, as its consumers see it."""

    __name__: str
    names: TopicNames
    history: History | None

    # Any: the consumer of the connection.
    def __call__(self, consumer: Any, topic: str, params: dict[str, Any]) -> Any:
        """Make the topic of one connection."""
        ...

    def spec_for(self, integration: Integration) -> "ConsumerSpec":
        """Return the declarations of the class, with the guards and parameters of a framework."""
        ...

    def mount(self, consumer: type) -> None:
        """Note that clients subscribe through a consumer class. Raises TypeError where they cannot."""
        ...


@dataclass(frozen=True)
class Handlers:
    """The handlers of a class by the action that reaches them."""

    messages: dict[str, HandlerSpec]
    events: dict[str, HandlerSpec]

    @cached_property
    def message_methods(self) -> dict[str, str]:
        """The names of the methods that handle messages."""
        return {action: handler.method_name for action, handler in self.messages.items()}

    @cached_property
    def assisted(self) -> dict[str, HandlerSpec]:
        """Handlers that are checked by guards, take more than the message, stream, or can be cancelled."""
        return {
            action: handler
            for action, handler in self.messages.items()
            if handler.guards or handler.resolver is not None or handler.can_be_cancelled
        }

    @cached_property
    def stream_actions(self) -> frozenset[str]:
        """Actions that are answered by a stream."""
        return frozenset(action for action, handler in self.messages.items() if handler.is_stream)

    @cached_property
    def claims(self) -> tuple[Control, ...]:
        """The control actions that clients need: to cancel, and to give streams credit."""
        if self.stream_actions:
            return ("cancel", "more")
        cancellable = any(handler.cancellable for handler in self.messages.values())
        return ("cancel",) if cancellable else ()

    @cached_property
    def concurrent_actions(self) -> frozenset[str]:
        """Actions whose messages do not keep to the order."""
        return frozenset(action for action, handler in self.messages.items() if handler.concurrent)


class ConsumerSpec:
    """The declarations of one consumer class, and what follows from them and its options.

    Types are resolved when the class is created. Where an annotation names something defined later, they are resolved
    by `as_asgi()` or at first use instead, and errors surface then.
    """

    # Any: a consumer class, whose options are read when they are used.
    def __init__(self, owner: Any, integration: Integration) -> None:
        self.owner: Any = owner
        self.integration = integration
        self.layer: ChannelLayerChoice = ChannelLayerChoice(owner, integration)
        self.name: str = owner.__name__.removesuffix("Consumer") or owner.__name__
        self.snake_name: str = snake_case(self.name)
        self._declared = list(_declared_handlers(owner))
        self._undeclared: set[type[BaseMessage]] = set()
        self._codecs: dict[tuple[WireFormat, int], Codec] = {}

    def resolve_early(self) -> None:
        """Raise what is wrong with the declarations now, if their types can be known now."""
        try:
            self.resolve()
        except NameError:
            # A forward reference: cached properties keep nothing of a failed attempt.
            return

    def resolve(self) -> None:
        """Raise TypeError or NameError for what is wrong with the declarations: every module is loaded."""
        _ = self.handlers, self.emits, self.passthrough_events, self.controls, self.requests
        for topic in self.topics:
            topic.spec_for(self.integration).resolve()
            topic.mount(self.owner)
        _ = self._checked_fields

    @cached_property
    def handlers(self) -> Handlers:
        """Resolved handlers; raises TypeError for what is wrong with one or between two."""
        resolved = [handler.resolved(self.owner, self.integration) for handler in self._declared]
        outputs = [output for handler in resolved for output in handler.output_types]
        _check_actions(self.owner, [*outputs, *self.emits])
        return Handlers(
            messages=_by_action(self.owner, "ws", resolved),
            events=_by_action(self.owner, "event", resolved),
        )

    @cached_property
    def controls(self) -> dict[str, Control]:
        """The control actions for streams and cancellable handlers, by the names under which clients send them."""
        return {
            name: claim
            for name, claim in self._claimed.items()
            if claim == "cancel" or claim == "more"
        }

    @cached_property
    def topic_controls(self) -> dict[str, TopicControl]:
        """Those for topics."""
        return {
            name: claim
            for name, claim in self._claimed.items()
            if claim == "subscribe" or claim == "unsubscribe"
        }

    @cached_property
    def _claimed(self) -> dict[str, Control | TopicControl]:
        """Every control action of the class and its topics. Raises TypeError where a handler has such a name."""
        renamed = cast("Mapping[str, str]", self.owner.control_actions)
        specs = self._with_topics
        claims: set[Control | TopicControl] = {
            claim for spec in specs for claim in spec.handlers.claims
        }
        if self.topics:
            claims |= {"subscribe", "unsubscribe"}
        names: dict[str, Control | TopicControl] = {
            renamed.get(claim, claim): claim for claim in sorted(claims)
        }
        if len(names) < len(claims):
            raise TypeError(
                f"{self.owner.__name__}.control_actions gives two of {', '.join(sorted(claims))} one name."
            )
        for spec in specs:
            for name in names.keys() & spec.handlers.messages.keys():
                handler = spec.handlers.messages[name]
                raise TypeError(
                    f"{spec.owner.__name__}.{handler.method_name}() handles the action {name!r}, which clients need to "
                    f"control streams, cancellable handlers and topics: rename one, for example "
                    f'{self.owner.__name__}.control_actions = {{"{names[name]}": "stop"}}.'
                )
        return names

    @cached_property
    def topics(self) -> tuple[TopicClass, ...]:
        """The topics to which clients may subscribe, in the order in which their patterns are tried."""
        declared = getattr(self.owner, "topics", ())
        return () if handler_of(declared) is not None else tuple(declared)

    @property
    def default_topic(self) -> TopicClass | None:
        """The topic of frames that name none."""
        declared = getattr(self.owner, "default_topic", None)
        return None if handler_of(declared) is not None else cast("TopicClass | None", declared)

    @cached_property
    def has_concurrent(self) -> bool:
        """Whether any message, of the class or of its topics, does not keep to the order."""
        return any(spec.handlers.concurrent_actions for spec in self._with_topics)

    @property
    def _with_topics(self) -> "list[ConsumerSpec]":
        """The declarations of the class and of its topics."""
        return [self, *(topic.spec_for(self.integration) for topic in self.topics)]

    @cached_property
    def requests(self) -> dict[type[BaseMessage], type[BaseMessage]]:
        """The requests that the server sends to clients, with the answer of each."""
        if handler_of(self.owner.requests) is not None:  # a handler of that name
            return {}
        declared = cast("Mapping[Any, Any]", self.owner.requests)
        for item in [*declared, *declared.values()]:
            if not is_message_type(item):
                raise TypeError(
                    f"requests of {self.owner.__name__} must map messages to the messages that answer them, and names "
                    f"{item!r}."
                )
        return {**declared}

    @cached_property
    def _checked_fields(self) -> bool:
        """Warn once of fields that have the names of envelope keys."""
        warn_of_envelope_fields(
            self.owner,
            self.handlers.messages.values(),
            self.requests,
            is_topic="topic" in self.owner._address_keys,
            has_topics=bool(self.topics),
        )
        return True

    @cached_property
    def emits(self) -> tuple[type[BaseMessage], ...]:
        """Messages that the class declares to send by itself."""
        return tuple(_message_list(self.owner, "emits"))

    @cached_property
    def passthrough_events(self) -> tuple[type[BaseMessage], ...]:
        """Events that reach the client as they are."""
        return tuple(_message_list(self.owner, "passthrough_events"))

    @cached_property
    def incoming_messages(self) -> tuple[type[BaseMessage], ...]:
        """Message types of clients, ordered by action."""
        return _input_types(self.handlers.messages)

    @cached_property
    def incoming_events(self) -> tuple[type[BaseMessage], ...]:
        """Event types, ordered by action."""
        return _input_types(self.handlers.events)

    @cached_property
    def outgoing_messages(self) -> tuple[type[BaseMessage], ...]:
        """Every message type that clients may receive, ordered by action."""
        handlers = [*self.handlers.messages.values(), *self.handlers.events.values()]
        outputs = [output for handler in handlers for output in handler.output_types]
        system = {*self.owner._system_messages}
        if not self.has_heartbeat:
            system -= {HeartbeatMessage}
        return _ordered({*outputs, *self.emits, *self.requests, *system})

    @cached_property
    def shortcuts(self) -> Shortcuts:
        """Which hooks of the library the class leaves as they are."""
        return Shortcuts.of(self.owner)

    @property
    def wire_format(self) -> WireFormat:
        """How the class's messages look on the socket, by its options."""
        owner = self.owner
        return WireFormat(owner.discriminator_field, owner.camelize, owner.camelize_dicts)

    def codec(self, wire: WireFormat, max_depth: int | None = None) -> Codec:
        """Return the codec of the class in a wire format; nesting may be as deep as the class allows."""
        depth: int = self.owner.max_json_depth if max_depth is None else max_depth
        codec = self._codecs.get((wire, depth))
        if codec is None:
            codec = self._codecs[wire, depth] = Codec(
                self.incoming_messages,
                (*self.outgoing_messages, *(_ABOUT_TOPICS if self.topics else ())),
                wire,
                max_depth=depth,
                envelope=self.envelope_keys,
                on_undeclared=self.log_undeclared,
            )
        return codec

    @cached_property
    def envelope_keys(self) -> frozenset[str]:
        """The keys that clients may write beside a message."""
        keys: frozenset[str] = REPLY_KEYS | self.owner._address_keys
        return keys | {"window"} if self.handlers.stream_actions else keys

    @cached_property
    def incoming_adapter(self) -> TypeAdapter[Any] | None:
        """The adapter of the messages of clients; None without any."""
        return _union_adapter(self.incoming_messages)

    @cached_property
    def outgoing_adapter(self) -> TypeAdapter[Any] | None:
        """The adapter of what clients may receive."""
        return _union_adapter(self.outgoing_messages)

    @cached_property
    def event_adapter(self) -> TypeAdapter[Any] | None:
        """The adapter of the events; None without any."""
        return _union_adapter(self.incoming_events)

    def parse_event(self, payload: EventPayload) -> BaseMessage | None:
        """Validate an event from the layer; what is none of the class's is logged, and None is returned."""
        if self.event_adapter is None:
            logger.warning("Event for a consumer without event handlers: %s", self.owner.__name__)
            return None
        try:
            return cast(
                BaseMessage, self.event_adapter.validate_python(payload.get("event_data", {}))
            )
        except ValidationError as error:
            logger.warning(
                "Invalid event for %s: %d errors", self.owner.__name__, error.error_count()
            )
            return None

    @property
    def expects_group_messages(self) -> bool:
        """Whether clients may receive group messages, as far as that is known before one connects.

        Without a channel layer there are none. The layer of the default alias may be registered later: until then,
        declared groups count.
        """
        alias = self.layer.alias
        if not alias or self.layer.is_named:
            return bool(alias)
        has_groups = self.owner.groups or self.extra_groups or not self.shortcuts.groups
        return bool(has_groups) or self.owner.get_channel_layer(alias) is not None

    def check_event(self, event: BaseMessage) -> None:
        """Raise TypeError for an event that neither the class nor a subclass handles."""
        if event.action in self.handlers.events or _takes_any_event(self.owner):
            return
        waiting: list[Any] = self.owner.__subclasses__()
        while waiting:
            subclass = waiting.pop()
            if event.action in subclass.spec.handlers.events or _takes_any_event(subclass):
                return
            waiting += subclass.__subclasses__()
        name = self.owner.__name__
        raise TypeError(
            f"{name} has no handler for the event {event.action!r}: add an @event_handler for "
            f"{type(event).__name__} to it, or send the event by the class that has one."
        )

    def log_undeclared(self, message_type: type[BaseMessage]) -> None:
        """Warn of a message that the class sends without declaring it, once for each type."""
        if message_type not in self._undeclared:
            self._undeclared.add(message_type)
            logger.warning(
                "%s sent a %s, which it does not declare: name it in the handler's return annotation, in "
                "output_type= or in emits",
                self.owner.__name__,
                message_type.__name__,
            )

    @cached_property
    def has_heartbeat(self) -> bool:
        """Whether clients may be sent heartbeats: the class has no message of its own with that action."""
        handlers = [*self.handlers.messages.values(), *self.handlers.events.values()]
        own = [
            *self.emits,
            *self.requests,
            *(output for handler in handlers for output in handler.output_types),
        ]
        return not any("heartbeat" in message_actions(output) for output in own)

    @cached_property
    def extra_groups(self) -> tuple[str, ...]:
        """Groups of the class and of its mixins, most derived first."""
        return tuple(_merged(self.owner, "extra_groups"))

    @property
    def channel(self) -> ChannelInfo:
        """The class's channel metadata; a name is its own, a description falls back on the docstring."""
        attributes = cast("Mapping[str, Any]", vars(self.owner))
        own = cast(ChannelInfo, attributes.get(CHANNEL_ATTRIBUTE, {}))
        inherited = cast(ChannelInfo, getattr(self.owner, CHANNEL_ATTRIBUTE, {}))
        docstring = attributes.get("__doc__")
        return {
            "name": own.get("name") or self.snake_name,
            "description": own.get("description")
            or (inspect.cleandoc(docstring) if docstring else None),
            "tags": own.get("tags") or inherited.get("tags"),
        }


def _declared_handlers(owner: type) -> Iterator[HandlerSpec]:
    """Yield the handlers in alphabetical order of method names; an undecorated override removes one."""
    names = {name for base in owner.__mro__ for name in vars(base) if not name.startswith("_")}
    for name in sorted(names):
        handler = handler_of(inspect.getattr_static(owner, name, None))
        if handler is not None:
            # A function may be known to the class under another name than its own.
            yield replace(handler, method_name=name)


def _union_adapter(message_types: tuple[type[BaseMessage], ...]) -> TypeAdapter[Any] | None:
    return adapter_of(message_types) if message_types else None


def _takes_any_event(owner: type) -> bool:
    """Tell whether a class reads events from the layer by itself."""
    return any(attribute.name == "handle_channel_event" for attribute in user_attributes(owner))


def _by_action(
    owner: type, kind: HandlerKind, handlers: Iterable[HandlerSpec]
) -> dict[str, HandlerSpec]:
    routes: dict[str, HandlerSpec] = {}
    for handler in handlers:
        if handler.kind != kind:
            continue
        for action in handler.routes:
            other = routes.setdefault(action, handler)
            if other is not handler:
                word = "message" if kind == "ws" else "event"
                first, second = sorted((other.method_name, handler.method_name))
                raise TypeError(
                    f"{owner.__name__} has two {word} handlers for action {action!r}: {first}() and {second}(). "
                    "Actions must be unique within a consumer."
                )
    return routes


# Any: a class that declares handlers.
def _check_actions(owner: Any, outputs: Iterable[type[BaseMessage]]) -> None:
    """Two outgoing messages of one action could not be told apart by clients."""
    system: tuple[type[BaseMessage], ...] = owner._system_messages
    ours = {action for item in system for action in message_actions(item)} - {"heartbeat"}
    reserved = _RESERVED_ACTIONS | ours
    known: dict[str, type[BaseMessage]] = {}
    for output in outputs:
        for action in message_actions(output):
            if action in reserved and output not in system:
                raise TypeError(
                    f"{owner.__name__} sends {output.__name__} with the reserved action {action!r}. "
                    f"Choose another; reserved are {', '.join(sorted(reserved))}."
                )
            other = known.setdefault(action, output)
            if other is not output:
                raise TypeError(
                    f"{owner.__name__} sends two messages with action {action!r}: {other.__name__} and "
                    f"{output.__name__}. Give one of them another action."
                )


def _message_list(owner: type, attribute: str) -> Iterator[type[BaseMessage]]:
    for item in _merged(owner, attribute):
        for message_type in flatten_types(item):
            if not is_message_type(message_type):
                raise TypeError(
                    f"{attribute} item {message_type!r} of {owner.__name__} must be a BaseMessage subclass."
                )
            yield message_type


def _merged(owner: type, attribute: str) -> list[Any]:
    merged: list[Any] = []
    for base in owner.__mro__:
        items = cast("Sequence[Any]", vars(base).get(attribute, ()))
        merged += [item for item in items if item not in merged]
    return merged


def _input_types(handlers: dict[str, HandlerSpec]) -> tuple[type[BaseMessage], ...]:
    return _ordered({handler.input_type for handler in handlers.values()})


def _ordered(message_types: set[type[BaseMessage]]) -> tuple[type[BaseMessage], ...]:
    return tuple(sorted(message_types, key=lambda item: (message_actions(item), item.__qualname__)))
