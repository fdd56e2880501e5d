"""Topics: many typed channels on one socket."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, overload
from weakref import WeakSet

from asgiref.sync import async_to_sync

from chanx.constants import ENVELOPE_VERSION, TOPIC_EVENT_TYPE
from chanx.core._connection.connection import Connection
from chanx.core._connection.correlation import Exchange
from chanx.core._connection.dispatcher import FrameDispatcher
from chanx.core._connection.outlet import TOPIC_BEFORE_REF
from chanx.core._declarations.channel_layer import ChannelLayerChoice
from chanx.core._declarations.topic_layers import TopicLayers, check_mount, group_namespace
from chanx.core._declarations.topic_names import TopicNames
from chanx.core._declarations.unbound import UNBOUND
from chanx.core._endpoint import MessageEndpoint
from chanx.core._groups.sending import send_to_groups
from chanx.core._history.entries import ENTRY
from chanx.core._history.logs import logs_of
from chanx.core._history.memory import store_of
from chanx.core._history.reader import append
from chanx.core._history.store import History, HistoryStore
from chanx.core._publisher import ReceiveEvent
from chanx.core._telemetry.counters import counters
from chanx.core.authenticator import BaseAuthenticator
from chanx.core.exceptions import LayerUnavailableError
from chanx.core.integration import Integration, integration_named
from chanx.core.spec import TOPIC_MESSAGES, ConsumerSpec
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import CompleteMessage, ErrorMessage, EventCompleteMessage
from chanx.type_defs import Scope, TopicEvent
from chanx.utils.groups import safe_group_name
from chanx.utils.logging import logger

if TYPE_CHECKING:
    from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["Topic"]

E_contra = TypeVar("E_contra", bound=BaseMessage, contravariant=True)


class _OfConsumer:
    """An option that a topic takes from its consumer, unless the class sets it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    # Any: each option has a type of its own.
    def __get__(self, instance: "Topic[Any]", owner: type) -> Any:
        """Return the consumer's value."""
        return getattr(instance.consumer, self._name)


class _EitherMethod:
    """A method of the class under a name, and one of its instances under the same."""

    def __init__(self, of_class: str, of_instance: str) -> None:
        self._of_class = of_class
        self._of_instance = of_instance

    # Any: a bound method.
    def chosen(self, instance: object | None, owner: type) -> Any:
        """Return the one that is asked for."""
        if instance is None:
            return getattr(owner, self._of_class)
        return getattr(instance, self._of_instance)


class _Broadcast(_EitherMethod):
    """`broadcast()` of the class takes a name; that of a topic sends to its own subscribers."""

    @overload
    def __get__(
        self, instance: None, owner: "type[Topic[ReceiveEvent]]"
    ) -> "_FromAnywhere[ReceiveEvent]": ...

    @overload
    def __get__(
        self, instance: "Topic[ReceiveEvent]", owner: "type[Topic[ReceiveEvent]]"
    ) -> "_FromSubscriber[ReceiveEvent]": ...

    # Any: one of the two above.
    def __get__(self, instance: "Topic[Any] | None", owner: "type[Topic[Any]]") -> Any:
        return self.chosen(instance, owner)


class _BroadcastSync(_EitherMethod):
    """The same from code that is not async."""

    @overload
    def __get__(
        self, instance: None, owner: "type[Topic[ReceiveEvent]]"
    ) -> "_FromAnywhereSync[ReceiveEvent]": ...

    @overload
    def __get__(
        self, instance: "Topic[ReceiveEvent]", owner: "type[Topic[ReceiveEvent]]"
    ) -> "_FromSubscriberSync[ReceiveEvent]": ...

    # Any: one of the two above.
    def __get__(self, instance: "Topic[Any] | None", owner: "type[Topic[Any]]") -> Any:
        return async_to_sync(self.chosen(instance, owner))


class Topic(MessageEndpoint, Generic[ReceiveEvent]):
    """A typed channel to which clients of a consumer subscribe: `topics = [DiscussionTopic]`.

    It declares handlers as a consumer does, and they may do what those of a consumer may. One instance serves one
    subscription of one connection. The type parameter names the events that its subscribers can be sent.
    """

    # Declare

    pattern: ClassVar[str] = ""
    """The names of its topics, such as `discussion:{pk}`: a parameter stands for anything without a colon."""
    param_names: ClassVar[tuple[str, ...]] = ()
    """The parameters of the pattern."""
    channel_layer_alias: ClassVar[str] = "default"
    """The layer for broadcasts from a process in which no consumer has the topic."""
    integration: ClassVar[str | None] = None
    """`"channels"` or `"fast_channels"`: whose layer that is, where both packages are installed.

    Set it, too, where consumers of both have the topic in one process and their layers are on one server: events are
    sent on each layer otherwise, and arrive twice.
    """

    history: ClassVar[History | None] = None
    """What is kept of its events, for clients that come back: `History(size=300, seconds=3600)`. None: nothing."""

    names: ClassVar[TopicNames]
    """The pattern, compiled."""

    _integration = UNBOUND
    _system_messages = (
        CompleteMessage,
        EventCompleteMessage,
        ErrorMessage,
        *TOPIC_MESSAGES,
    )
    _address_keys = frozenset({"topic"})
    _specs: ClassVar[dict[Integration, ConsumerSpec]]
    _consumers: ClassVar["WeakSet[type]"]
    _has_warned = False
    _namespace: ClassVar[str]

    if TYPE_CHECKING:
        discriminator_field: str
        handler_timeout: float | None
        log_websocket_message: bool
        max_json_depth: int
        send_message_immediately: bool
        broadcast: ClassVar[_Broadcast]
        broadcast_sync: ClassVar[_BroadcastSync]
    else:
        camelize = _OfConsumer()
        discriminator_field = _OfConsumer()
        handler_timeout = _OfConsumer()
        log_ignored_actions = _OfConsumer()
        log_websocket_message = _OfConsumer()
        max_json_depth = _OfConsumer()
        send_completion = _OfConsumer()
        send_message_immediately = _OfConsumer()

        broadcast = _Broadcast("_broadcast_anywhere", "_broadcast_from_here")
        """Send an event to every subscriber, from anywhere: `await DiscussionTopic.broadcast("discussion:5", event)`.

        Inside a topic, `await self.broadcast(event, exclude_current=True)` sends to its own subscribers. `seq` is sent
        along as the topic's offset. Raises ValueError for a name of another pattern, TypeError for an event that the
        class does not handle, LayerUnavailableError, and LookupError where there is no channel layer.
        """
        broadcast_sync = _BroadcastSync("_broadcast_anywhere", "_broadcast_from_here")
        """Do `broadcast()` from code that is not async."""

    # Any: whatever a base class of the user's takes.
    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read and check the declarations of a class."""
        super().__init_subclass__(**kwargs)
        cls._specs = {}
        cls._consumers = WeakSet()
        cls._has_warned = False
        cls._namespace = group_namespace(cls)
        if cls.pattern:
            cls.names = TopicNames(cls.__name__, cls.pattern, cls.authorize)
            cls.param_names = cls.names.parameters

    @classmethod
    def spec_for(cls, integration: Integration) -> ConsumerSpec:
        """Return the declarations of the class, with the guards and parameters of a framework."""
        if integration not in cls._specs:
            cls._specs[integration] = ConsumerSpec(cls, integration)
        return cls._specs[integration]

    @classmethod
    def mount(cls, consumer: "type[ChanxWebsocketConsumerMixin[Any]]") -> None:
        """Note that clients subscribe through a consumer class. Raises TypeError where they cannot."""
        check_mount(cls, consumer)
        cls._consumers.add(consumer)

    # Of one subscription

    def __init__(
        self,
        consumer: "ChanxWebsocketConsumerMixin[Any]",
        topic: str,
        params: dict[str, Any] | None = None,
    ) -> None:
        self.consumer = consumer
        self.topic = topic
        self.params: dict[str, Any] = type(self).parse(topic) or {} if params is None else params
        self.recovered: bool = False
        """Whether the client is sent everything that it missed; without `history`, it never is."""

    def _attach(self, connection: Connection) -> FrameDispatcher:
        """Make the topic handle frames of a connection."""
        self._connection = connection
        spec = type(self).spec_for(self.consumer.spec.integration)
        codec = spec.codec(connection.codec.wire, self.max_json_depth)
        own = vars(self)
        own["spec"] = spec
        for option in ("send_completion", "log_websocket_message"):
            # From here on an attribute of the instance: it is read for each message.
            own[option] = getattr(self, option)
        by_hooks = not self.consumer.spec.shortcuts.send
        self._writes_directly = spec.shortcuts.send and not by_hooks
        self._outlet = connection.outlet.topic(codec, self.topic)
        self._frames = connection.dispatcher_for(self, self._outlet, writes_results=not by_hooks)
        return self._frames

    @property
    def scope(self) -> Scope:
        """The scope of the connection."""
        return self.consumer.scope

    @property
    def channel_name(self) -> str:
        """The name of the connection's own channel."""
        return self.consumer.channel_name

    # Any: whichever library's layer.
    @property
    def channel_layer(self) -> Any:
        """The channel layer of the connection."""
        return self.consumer.channel_layer

    @property
    def authenticator(self) -> BaseAuthenticator | None:
        """Who authenticated the connection."""
        return self.consumer.authenticator

    @property
    def url_params(self) -> dict[str, Any]:
        """The parameters of the connection's path and of the topic."""
        return {**self.consumer.url_params, **self.params}

    # Names

    @classmethod
    def parse(cls, topic: str) -> dict[str, Any] | None:
        """Return the parameters in a name; None for a name of another pattern.

        Raises ValueError for a parameter that does not fit its annotation.
        """
        return cls.names.match(topic) if cls.pattern else None

    @classmethod
    def group_name(cls, topic: str) -> str:
        """Return the group of the channel layer for the subscribers of a name.

        Different names never share one, and neither do classes of one name in two modules.
        """
        return safe_group_name(topic, namespace=cls._namespace)

    @property
    def group(self) -> str:
        """The group of the channel layer that its subscribers join."""
        return self.group_name(self.topic)

    # Lifecycle

    # Any: the parameters of the pattern. Both together let type checkers accept whatever parameters an override has.
    async def authorize(self, *args: Any, **params: Any) -> bool:
        """Return whether the client may subscribe. Override with the parameters of the pattern.

        Annotations convert them: `async def authorize(self, pk: int) -> bool`. An exception refuses, too; application
        errors such as MessageError say why.
        """
        return True

    async def on_subscribe(self) -> None:
        """Run when the client is subscribed and knows it. Override."""

    async def on_unsubscribe(self) -> None:
        """Run when the client has given the topic up, or its connection has ended. Override."""

    # Send

    async def _write(self, message: BaseMessage) -> None:
        if self._writes_directly:
            text = self._outlet.encode(message)
            if self._connection.exchanges:
                text = self._numbered(text)
            await self._connection.send_text(text, message.action, TOPIC_BEFORE_REF)
        else:
            await self.send_json(message.model_dump(mode="json"))

    # Any: a message may hold whatever JSON can.
    async def send_json(self, content: dict[str, Any], close: bool = False) -> None:
        """Send a message that is a dictionary, with `action` and the field names of its class."""
        if self.consumer.spec.shortcuts.send:
            text = self._numbered(self._outlet.encode_object(content))
            await self._connection.send_text(text, content.get("action"), TOPIC_BEFORE_REF)
        else:
            await self._send_by_hook(content)
        if close:
            await self.close()

    async def _send_by_hook(self, content: dict[str, Any]) -> None:
        """Pass a frame with its own keys to hooks of the consumer, which add the reference alone."""
        frame = {**content, "version": ENVELOPE_VERSION, "topic": self.topic}
        exchange = self._connection.exchanges.current()
        if exchange is None:
            await self.consumer.send_json(frame)
            return
        if exchange.offset is not None:
            frame["seq"] = exchange.offset
            _mark(exchange)
        exchange.before_ref = TOPIC_BEFORE_REF
        try:
            await self.consumer.send_json(frame)
        finally:
            exchange.before_ref = None

    def _numbered(self, text: str) -> str:
        """Add the number of the event that is being handled, if it has one."""
        exchange = self._connection.exchanges.current()
        if exchange is None or exchange.offset is None:
            return text
        _mark(exchange)
        return f'{text[:-1]},"seq":{exchange.offset}}}'

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the connection behind what was sent before; 1000 without a code."""
        await self.consumer.close(code, reason)

    # Broadcast

    @classmethod
    async def _broadcast_anywhere(
        cls, topic: str, event: ReceiveEvent, *, seq: int | None = None
    ) -> None:
        await cls._publish(topic, event, seq, None)

    async def _broadcast_from_here(
        self, event: ReceiveEvent, *, seq: int | None = None, exclude_current: bool = False
    ) -> None:
        sender = self._connection.sender_channel if exclude_current else None
        await type(self)._publish(self.topic, event, seq, sender)

    @classmethod
    async def _publish(
        cls, topic: str, event: ReceiveEvent, seq: int | None, excluded: str | None
    ) -> None:
        cls.spec.check_event(event)
        if cls.parse(topic) is None:
            raise ValueError(
                f"{topic!r} is no topic of {cls.__name__}: its pattern is {cls.pattern!r}."
            )
        cls._warn_of_subclasses()
        if cls.history is None:
            await cls._send_to_layers(topic, event, seq, excluded)
        elif seq is None:
            await cls._add_to_history(cls.history, topic, event, excluded)
        else:
            raise TypeError(
                f"{cls.__name__} has a history, which numbers its events: leave seq out."
            )

    @classmethod
    async def _add_to_history(
        cls, history: History, topic: str, event: ReceiveEvent, excluded: str | None
    ) -> None:
        group = cls.group_name(topic)
        kept = history.checked({"event_data": event.model_dump(mode="json")})
        if excluded is not None:
            kept["from_channel"] = excluded
        for store, choices in cls._stores(history).items():
            entry = await append(store, group, kept, history.retention)
            hint = {"type": TOPIC_EVENT_TYPE, "topic": topic, **kept, ENTRY: entry[:4]}
            for choice in choices:
                try:
                    await send_to_groups(cls, choice, [group], hint)
                except LayerUnavailableError:
                    # Every other process finds the entry in the store.
                    counters.hints_lost += 1
                    logs_of(choice.require()).hear(group, entry)

    @classmethod
    def _stores(cls, history: History) -> dict[HistoryStore, list[ChannelLayerChoice]]:
        """Return the stores of a history, with the channel layers through which their entries are known."""
        found: dict[HistoryStore, list[ChannelLayerChoice]] = {}
        for choice in TopicLayers(cls, cls._consumers).find():
            layer = choice.require()
            is_local = choice.traits(layer).is_local
            store = store_of(history, layer, is_local=is_local, topic=cls.__name__)
            found.setdefault(store, []).append(choice)
        return found

    @classmethod
    async def _send_to_layers(
        cls, topic: str, event: ReceiveEvent, seq: int | None, excluded: str | None
    ) -> None:
        payload: TopicEvent = {
            "type": TOPIC_EVENT_TYPE,
            "topic": topic,
            "seq": seq,
            "event_data": event.model_dump(mode="json"),
        }
        if excluded is not None:
            payload["from_channel"] = excluded
        for choice in TopicLayers(cls, cls._consumers).find():
            await send_to_groups(cls, choice, [cls.group_name(topic)], payload)

    @classmethod
    def _warn_of_subclasses(cls) -> None:
        """Say once that a subclass has the subscribers, where no consumer has the class itself."""
        if cls._consumers or cls._has_warned:
            return
        mounted = [*cls._mounted_subclasses()]
        if mounted:
            cls._has_warned = True
            logger.warning(
                "%s.broadcast() reaches nobody here: no consumer has %s in its topics. Broadcast by %s.",
                cls.__name__,
                cls.__name__,
                " or ".join(mounted),
            )

    @classmethod
    def _mounted_subclasses(cls) -> Iterator[str]:
        for subclass in cls.__subclasses__():
            if subclass._consumers:
                yield subclass.__name__
            yield from subclass._mounted_subclasses()

    @classmethod
    def as_consumer(
        cls, base: "type[ChanxWebsocketConsumerMixin[Any]] | None" = None
    ) -> "type[Any]":
        """Return a consumer class that serves this topic alone, for frames that name none.

        `base` is the consumer class of a framework; without one, that of the package which is installed. The
        parameters of the pattern are those of the path. Raises LookupError where both packages are installed.
        """
        base = base or integration_named(cls.integration, cls.__name__).consumer_class
        attributes: dict[str, Any] = {
            "topics": [cls],
            "default_topic": cls,
            "__doc__": cls.__doc__,
            "__module__": cls.__module__,
        }
        if cls.channel_layer_alias != Topic.channel_layer_alias:
            attributes["channel_layer_alias"] = cls.channel_layer_alias
        name = f"{cls.__name__.removesuffix('Topic') or cls.__name__}Consumer"
        return type(name, (base,), attributes)


def _mark(exchange: Exchange) -> None:
    """Note that the next frame carries a cursor, unless a later one does."""
    if exchange.held is not None:
        exchange.marked = len(exchange.held)


class _FromAnywhere(Protocol[E_contra]):
    async def __call__(self, topic: str, event: E_contra, *, seq: int | None = None) -> None: ...


class _FromSubscriber(Protocol[E_contra]):
    async def __call__(
        self, event: E_contra, *, seq: int | None = None, exclude_current: bool = False
    ) -> None: ...


class _FromAnywhereSync(Protocol[E_contra]):
    def __call__(self, topic: str, event: E_contra, *, seq: int | None = None) -> None: ...


class _FromSubscriberSync(Protocol[E_contra]):
    def __call__(
        self, event: E_contra, *, seq: int | None = None, exclude_current: bool = False
    ) -> None: ...
