"""What one consumer says on one route, with the options that are in force now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from chanx.asyncapi.controls import control_message
from chanx.asyncapi.envelope import Envelope
from chanx.asyncapi.options import DocumentOptions
from chanx.asyncapi.routes import Consumer, ConsumerRoute
from chanx.asyncapi.schemas import MessageUse
from chanx.core.authenticator import BaseAuthenticator, Credential
from chanx.core.codec import WireFormat
from chanx.core.handlers import HandlerSpec
from chanx.core.spec import ConsumerSpec
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

__all__ = ["Source"]

_REF = Envelope(ref=True)


@dataclass(frozen=True, slots=True)
class Source:
    """A route and everything of its consumer that can change between two documents."""

    route: ConsumerRoute
    wire: WireFormat
    send_completion: bool
    send_authentication: bool
    send_resync: bool
    send_heartbeat: bool
    group_metadata: bool
    credentials: tuple[Credential, ...]
    """What the authenticator looks at."""

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
        )

    @property
    def spec(self) -> ConsumerSpec:
        """The consumer's declarations."""
        return self.route.consumer.spec

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
        envelope = Envelope(ref=True, window=handler.is_stream)
        return MessageUse(handler.input_type, "validation", self.wire, envelope)

    def answers(self, handler: HandlerSpec) -> list[MessageUse]:
        """Return what may follow a client message: its outputs, an error, or only the mark of its end."""
        outputs = self.pushed(*handler.output_types)
        if handler.is_stream:
            outputs = [use._replace(envelope=use.envelope._replace(seq=True)) for use in outputs]
        return [
            *outputs,
            self._own(ErrorMessage),
            self._own(CompleteMessage),
        ]

    def pushed(self, *message_types: type[BaseMessage]) -> list[MessageUse]:
        """Return messages that a handler, an event or a group may bring."""
        envelope = Envelope(ref=True, is_current=self.group_metadata)
        return [MessageUse(item, "serialization", self.wire, envelope) for item in message_types]

    def control(self, name: str) -> MessageUse:
        """Return the message of a control action, by the name that clients send."""
        message_type = control_message(name, self.spec.controls[name])
        return MessageUse(message_type, "validation", self.wire)

    def request(self, request: type[BaseMessage]) -> tuple[MessageUse, MessageUse]:
        """Return a message by which the server asks the client, and the client's answer."""
        envelope = Envelope(ref=True, is_request=True)
        answer = self.spec.requests[request]
        return (
            MessageUse(request, "serialization", self.wire, envelope),
            MessageUse(answer, "validation", self.wire, envelope),
        )

    def notices(self) -> list[MessageUse]:
        """Return what the library itself sends without being asked, or about no message that it knows."""
        uses = [self._own(ErrorMessage)]
        if self.send_authentication:
            uses.insert(0, self._own(AuthenticationMessage, Envelope()))
        if self.send_resync:
            uses.append(self._own(ResyncMessage, Envelope()))
        if self.send_heartbeat:
            uses.append(self._own(HeartbeatMessage, Envelope()))
        if self.send_completion:
            uses += [self._own(CompleteMessage), self._own(GroupCompleteMessage, Envelope())]
            uses += [self._own(EventCompleteMessage, Envelope())] if self.event_handlers else []
        return uses

    def uses(self) -> list[MessageUse]:
        """Return every message of the channel, each once."""
        found: list[MessageUse] = []
        for handler in self.message_handlers:
            found += [self.received(handler), *self.answers(handler)]
        for handler in self.event_handlers:
            found += self.pushed(*handler.output_types)
        for request in self.spec.requests:
            found += self.request(request)
        found += map(self.control, self.spec.controls)
        return list(dict.fromkeys([*found, *self.pushed(*self.spec.emits), *self.notices()]))

    def _own(self, message_type: type[BaseMessage], envelope: Envelope = _REF) -> MessageUse:
        return MessageUse(message_type, "serialization", self.wire, envelope)


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
