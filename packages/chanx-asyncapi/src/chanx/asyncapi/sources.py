"""What one consumer, or one of its topics, says on one route, with the options that are in force now."""

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self, cast

from chanx.asyncapi.close_codes import Endings
from chanx.asyncapi.controls import (
    AnyControl,
    TopicErrorMessage,
    confirmation_of,
    control_message,
)
from chanx.asyncapi.envelope import Envelope, TopicKey
from chanx.asyncapi.options import DocumentOptions
from chanx.asyncapi.routes import Consumer, ConsumerRoute
from chanx.asyncapi.schemas import MessageUse
from chanx.core.authenticator import BaseAuthenticator, Credential
from chanx.core.codec import WireFormat
from chanx.core.decorators import CHANNEL_ATTRIBUTE
from chanx.core.handlers import HandlerSpec
from chanx.core.history import History
from chanx.core.spec import ConsumerSpec, TopicClass
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import (
    AuthenticationMessage,
    CompleteMessage,
    ErrorMessage,
    EventCompleteMessage,
    GroupCompleteMessage,
    HeartbeatMessage,
    ResyncMessage,
)
from chanx.type_defs import ChannelInfo

__all__ = ["Source", "sources_of_route"]


@dataclass(frozen=True, slots=True)
class Source:
    """One channel: a route, a consumer or one of its topics, and everything that can change between two documents."""

    route: ConsumerRoute
    wire: WireFormat
    send_completion: bool
    send_authentication: bool
    send_resync: bool
    send_heartbeat: bool
    group_metadata: bool
    credentials: tuple[Credential, ...]
    """What the authenticator looks at."""
    endings: Endings
    heartbeat_interval: float | None
    """None where the class sends no heartbeats."""
    topic: TopicClass | None = None
    speaks_for_connection: bool = True
    """Whether what the connection sends by itself is described here."""

    @classmethod
    def of(cls, route: ConsumerRoute, options: DocumentOptions) -> Self:
        """Look at a consumer now."""
        consumer = route.consumer
        return cls(
            route=route,
            wire=_wire_format(consumer, options),
            send_completion=consumer.send_completion,
            send_authentication=(
                consumer.send_authentication_message and _authenticator(consumer) is not None
            ),
            send_resync=_tells_of_losses(consumer),
            send_heartbeat=_sends_heartbeats(consumer),
            group_metadata=consumer.group_message_metadata and consumer.spec.expects_group_messages,
            credentials=_credentials(consumer),
            endings=Endings.of(consumer),
            heartbeat_interval=consumer.heartbeat_interval if consumer.spec.has_heartbeat else None,
        )

    def of_topic(self, topic: TopicClass, *, speaks_for_connection: bool) -> Self:
        """Return what one of the consumer's topics says."""
        completion: object = inspect.getattr_static(topic, "send_completion")
        return replace(
            self,
            topic=topic,
            # Else the topic does as its consumer does.
            send_completion=completion if isinstance(completion, bool) else self.send_completion,
            speaks_for_connection=speaks_for_connection,
        )

    @property
    def host(self) -> ConsumerSpec:
        """The consumer's declarations."""
        return self.route.consumer.spec

    @property
    def spec(self) -> ConsumerSpec:
        """The declarations of the topic, or of the consumer."""
        return self.host if self.topic is None else self.topic.spec_for(self.host.integration)

    @property
    def name(self) -> str:
        """The name of the channel."""
        attributes = cast("dict[str, Any]", vars(self.spec.owner))
        own = cast(ChannelInfo, attributes.get(CHANNEL_ATTRIBUTE, {})).get("name")
        if own or self.topic is None or self.is_default:
            return own or self.spec.snake_name
        return f"{self.host.snake_name}_{self.spec.snake_name}"

    @property
    def is_default(self) -> bool:
        """Whether it takes the frames that name no topic."""
        return self.topic is not None and self.topic is self.host.default_topic

    @property
    def history(self) -> History | None:
        """What is kept of the events of the topic."""
        return None if self.topic is None else self.topic.history

    @property
    def controls(self) -> dict[str, AnyControl]:
        """The control actions of the channel, by the names that clients send."""
        claims = self.spec.handlers.claims
        found: dict[str, AnyControl] = {
            name: control for name, control in self.host.controls.items() if control in claims
        }
        return found if self.topic is None else {**found, **self.host.topic_controls}

    @property
    def message_handlers(self) -> list[HandlerSpec]:
        """Handlers of client messages, each once, in order of their names."""
        return _each_once(self.spec.handlers.messages.values())

    @property
    def event_handlers(self) -> list[HandlerSpec]:
        """Handlers of events, each once, in order of their names."""
        return _each_once(self.spec.handlers.events.values())

    def received(self, handler: HandlerSpec) -> MessageUse:
        """Return the message that reaches a handler."""
        envelope = self._received(Envelope(ref=True, window=handler.is_stream))
        return MessageUse(handler.input_type, "validation", self.wire, envelope)

    def answers(self, handler: HandlerSpec) -> list[MessageUse]:
        """Return what may follow a client message: its outputs, an error, or only the mark of its end."""
        outputs = self.pushed(*handler.output_types)
        if handler.is_stream:
            outputs = [_numbered(use) for use in outputs]
        return [*outputs, self._error(), self._own(CompleteMessage)]

    def events(self, handler: HandlerSpec) -> list[MessageUse]:
        """Return what an event brings to the client; the events of topics may have an offset."""
        outputs = self.pushed(*handler.output_types)
        if self.topic is None:
            return outputs
        return [self._of_event(use) for use in outputs]

    def _of_event(self, use: MessageUse) -> MessageUse:
        use = _numbered(use)
        return use._replace(envelope=use.envelope._replace(cursor=self.history is not None))

    def pushed(self, *message_types: type[BaseMessage]) -> list[MessageUse]:
        """Return messages that a handler, an event or a group may bring."""
        is_current = self.group_metadata and self.topic is None
        envelope = self._sent(Envelope(ref=True, is_current=is_current))
        return [MessageUse(item, "serialization", self.wire, envelope) for item in message_types]

    def control(self, name: str) -> MessageUse:
        """Return the message of a control action, by the name that clients send."""
        control = self.controls[name]
        message_type = control_message(name, control, has_history=self.history is not None)
        is_answered = self.confirmation(name) is not None
        envelope = self._sent(Envelope(ref=True)) if is_answered else Envelope()
        return MessageUse(message_type, "validation", self.wire, envelope)

    def confirmation(self, name: str) -> type[BaseMessage] | None:
        """Return what answers a control action that succeeds, if anything does."""
        return confirmation_of(self.controls[name], has_history=self.history is not None)

    def confirmations(self, name: str) -> list[MessageUse]:
        """Return what answers a control action: nothing answers those for streams."""
        confirmation = self.confirmation(name)
        return [] if confirmation is None else [self._own(confirmation), self._refusal()]

    def request(self, request: type[BaseMessage]) -> tuple[MessageUse, MessageUse]:
        """Return a message by which the server asks the client, and the client's answer."""
        asked = self._sent(Envelope(ref=True, is_request=True))
        answer = self.spec.requests[request]
        return (
            MessageUse(request, "serialization", self.wire, asked),
            # Its `ref` says enough.
            MessageUse(answer, "validation", self.wire, asked._replace(needs_topic=False)),
        )

    def notices(self) -> list[MessageUse]:
        """Return what the library itself sends without being asked, or about no message that it knows."""
        admitted, lost = self._connection_notices() if self.speaks_for_connection else ([], [])
        uses = [*admitted, self._error()]
        uses += [] if self.topic is None else [self._refusal()]
        uses += [] if self.history is None else [self._of_topic(ResyncMessage)]
        uses += lost
        if self.send_completion:
            uses.append(self._own(CompleteMessage))
            uses += [self._plain(GroupCompleteMessage)] if self.topic is None else []
            uses += [self._event_complete()] if self.event_handlers else []
        return uses

    def _connection_notices(self) -> tuple[list[MessageUse], list[MessageUse]]:
        """Return what tells clients that they are admitted, and what tells them of the connection later."""
        lost = [self._plain(ResyncMessage)] if self.send_resync else []
        lost += [self._plain(HeartbeatMessage)] if self.send_heartbeat else []
        return [self._plain(AuthenticationMessage)] if self.send_authentication else [], lost

    def _event_complete(self) -> MessageUse:
        use = self._of_topic(EventCompleteMessage)
        # It is the last frame of an event.
        return use if self.history is None else self._of_event(use)

    def _of_topic(self, message_type: type[BaseMessage]) -> MessageUse:
        """Return a message of the library that answers none of the client."""
        return MessageUse(message_type, "serialization", self.wire, self._sent(Envelope()))

    def _error(self) -> MessageUse:
        """Frames that cannot be read are answered without the name of a topic."""
        return self._own(ErrorMessage, needs_topic=False)

    def _refusal(self) -> MessageUse:
        return self._own(TopicErrorMessage, needs_topic=False)

    def uses(self) -> list[MessageUse]:
        """Return every message of the channel, each once."""
        found: list[MessageUse] = []
        for handler in self.message_handlers:
            found += [self.received(handler), *self.answers(handler)]
        for handler in self.event_handlers:
            found += self.events(handler)
        for request in self.spec.requests:
            found += self.request(request)
        for name in self.controls:
            found += [self.control(name), *self.confirmations(name)]
        return list(dict.fromkeys([*found, *self.pushed(*self.spec.emits), *self.notices()]))

    def _plain(self, message_type: type[BaseMessage]) -> MessageUse:
        """Return a message of the library that stands alone."""
        return MessageUse(message_type, "serialization", self.wire)

    def _own(self, message_type: type[BaseMessage], *, needs_topic: bool = True) -> MessageUse:
        """Return a message of the library that answers one of the client."""
        envelope = self._sent(Envelope(ref=True))
        envelope = envelope._replace(needs_topic=needs_topic and envelope.needs_topic)
        return MessageUse(message_type, "serialization", self.wire, envelope)

    def _sent(self, envelope: Envelope) -> Envelope:
        """Return the envelope of what the server sends: the messages of a topic always name it."""
        if self.topic is None:
            return envelope
        key = TopicKey(self.spec.snake_name, self.topic.names.pattern)
        return envelope._replace(topic=key, needs_topic=True)

    def _received(self, envelope: Envelope) -> Envelope:
        """Return the envelope of what clients send: they need not name a default topic."""
        envelope = self._sent(envelope)
        if envelope.topic is None or not self.is_default:
            return envelope
        return envelope._replace(topic=envelope.topic._replace(is_default=True), needs_topic=False)


def sources_of_route(route: ConsumerRoute, options: DocumentOptions) -> Iterator[Source]:
    """Yield the channels of a route: the consumer, unless it only has topics, and one for each topic."""
    source = Source.of(route, options)
    is_described = not source.spec.topics or _says_something(source.spec)
    if is_described:
        yield source
    for topic in source.spec.topics:
        yield source.of_topic(topic, speaks_for_connection=not is_described)


def _says_something(spec: ConsumerSpec) -> bool:
    handlers = spec.handlers
    return bool(handlers.messages or handlers.events or spec.emits or spec.requests)


def _numbered(use: MessageUse) -> MessageUse:
    return use._replace(envelope=use.envelope._replace(seq=True))


def _wire_format(consumer: Consumer, options: DocumentOptions) -> WireFormat:
    camelize, dicts = options.camelize, options.camelize_dicts
    camelize = consumer.camelize if camelize is None else camelize
    dicts = consumer.camelize_dicts if dicts is None else dicts
    # Consumers that spell alike share their schemas.
    return WireFormat(consumer.discriminator_field, camelize, camelize and dicts)


def _authenticator(consumer: Consumer) -> type[BaseAuthenticator] | None:
    if consumer.authenticator_class is not None:
        return consumer.authenticator_class
    return None if consumer.authenticator is None else type(consumer.authenticator)


def _tells_of_losses(consumer: Consumer) -> bool:
    """A consumer without a channel layer has nothing to lose; whether `default` is there is known at run time only."""
    has_layer = getattr(consumer, "channel_layer_alias", None) is not None
    return has_layer and consumer.send_resync_message and consumer.layer_loss_policy == "resync"


def _sends_heartbeats(consumer: Consumer) -> bool:
    """Whether every client gets them, not only one that asks."""
    is_on = consumer.send_heartbeat and consumer.heartbeat_interval is not None
    return is_on and consumer.spec.has_heartbeat


def _credentials(consumer: Consumer) -> tuple[Credential, ...]:
    authenticator = _authenticator(consumer)
    return () if authenticator is None else tuple(authenticator.credentials)


def _each_once(handlers: Iterable[HandlerSpec]) -> list[HandlerSpec]:
    """A handler of several actions is listed under each of them."""
    by_name = {handler.method_name: handler for handler in handlers}
    return [by_name[name] for name in sorted(by_name)]
