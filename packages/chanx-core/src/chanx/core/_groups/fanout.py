"""Delivery of a group's messages to the members in this process: decoded once, encoded once for all."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Protocol, cast

from chanx.constants import CLOSE_LAYER_UNAVAILABLE, TOPIC_EVENT_TYPE
from chanx.core._history.entries import Entry
from chanx.core._ports import ReceivingConsumer, SubscribedTopics
from chanx.core._runtime.tasks import let_start, spawn_apart
from chanx.core._telemetry.counters import counters
from chanx.core.codec import Codec
from chanx.core.spec import ConsumerSpec
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import GroupCompleteMessage, ResyncMessage
from chanx.type_defs import ASGIEvent, EventPayload, GroupMessageEvent, JSONObject, TopicEvent
from chanx.utils.logging import logger

__all__ = [
    "Delivery",
    "EntryDelivery",
    "Member",
    "Resync",
    "delivery_of",
    "fan_out",
    "group_content",
]


class Member(Protocol):
    """A connection, as far as deliveries need it."""

    @property
    def consumer(self) -> ReceivingConsumer:
        """The consumer that is served."""
        ...

    @property
    def codec(self) -> Codec:
        """How the connection's messages are written."""
        ...

    @property
    def channel(self) -> str:
        """Its own channel, empty where it has none."""
        ...

    @property
    def keeps_up(self) -> bool:
        """True while nothing is queued ahead of a new message."""
        ...

    def write(self, texts: tuple[str, ...], action: Any) -> Awaitable[None]:
        """Send frames at once."""
        ...

    def queue(self, delivery: "Delivery") -> None:
        """Queue a delivery."""
        ...

    def adopt(self, writing: asyncio.Task[None]) -> None:
        """Make a task that waits for the socket end with the connection."""
        ...

    @property
    def topics(self) -> SubscribedTopics | None:
        """The topics of the client; None for a consumer without any."""
        ...

    def numbering(self, offset: int) -> AbstractContextManager[None]:
        """Send a number with the frames of a topic that the current task sends."""
        ...

    def bookmarking(self, offset: int, cursor: str) -> AbstractAsyncContextManager[None]:
        """Send a number with the frames of a topic that the current task sends, and a cursor with the last of them."""
        ...


class EventReceiver(Protocol):
    """Handles the events of one member: its consumer, or a topic."""

    @property
    def spec(self) -> ConsumerSpec:
        """What it declares."""
        ...

    def handle_channel_event(self, event_payload: EventPayload) -> Coroutine[Any, Any, None]:
        """Validate an event and handle it."""
        ...

    def receive_event(self, event: BaseMessage) -> Coroutine[Any, Any, None]:
        """Call the handler of an event."""
        ...


class Delivery(Protocol):
    """What a group's members receive."""

    @property
    def action(self) -> Any:
        """The action of the frames, for the log."""
        ...

    def frames_for(self, member: Member) -> tuple[str, ...] | None:
        """Return the frames for a member's socket; None if its consumer has to handle the message."""
        ...

    async def give(self, member: Member) -> None:
        """Pass the message to the consumer's hooks."""
        ...


class GroupDelivery:
    """A group message, which clients receive unchanged."""

    __slots__ = ("_event", "_excludes", "_frames", "_sender", "action")

    def __init__(self, event: GroupMessageEvent) -> None:
        self._event = event
        # Empty if no connection sent it. A channel that was never requested has an empty name too.
        self._sender = event.get("from_channel") or None
        self._excludes = bool(event.get("exclude_current"))
        self._frames: dict[object, tuple[str, ...]] = {}
        self.action = event["message"].get("action")

    def frames_for(self, member: Member) -> tuple[str, ...] | None:
        """Return the message as this member receives it, and its completion."""
        consumer = member.consumer
        if not consumer.spec.shortcuts.group:
            return None
        is_current = member.channel == self._sender
        if is_current and self._excludes:
            return ()
        key = (
            member.codec,
            is_current,
            consumer.group_message_metadata,
            consumer.should_send_completion,
        )
        frames = self._frames.get(key)
        return self._encode(*key) if frames is None else frames

    def _encode(
        self, codec: Codec, is_current: bool, metadata: bool, completion: bool
    ) -> tuple[str, ...]:
        counters.encodings += 1
        frames: tuple[str, ...] = ()
        try:
            content = group_content(self._event, codec, is_current=is_current if metadata else None)
            frames += (codec.encode_object(content),)
            if completion:
                frames += (codec.encode(GroupCompleteMessage()),)
        except Exception:
            logger.exception("Group message %.100r cannot be encoded", self.action)
        self._frames[codec, is_current, metadata, completion] = frames
        return frames

    async def give(self, member: Member) -> None:
        """Send the frames, or pass a copy of the layer's message to the consumer's hook."""
        frames = self.frames_for(member)
        if frames is None:
            message = {**self._event["message"]}
            await member.consumer.handle_group_message({**self._event, "message": message})
        elif frames:
            await member.write(frames, self.action)


class _HandledEvent:
    """An event that is handled once for each member, and validated once for each class that handles it."""

    __slots__ = ("_events", "_payload")

    action = None

    def __init__(self, payload: EventPayload) -> None:
        self._payload = payload
        self._events: dict[ConsumerSpec, BaseMessage | None] = {}

    def frames_for(self, member: Member) -> None:
        """Return None: the handlers decide what is sent."""

    def handling(self, receiver: EventReceiver) -> Coroutine[Any, Any, None] | None:
        """Return what handles a shallow copy of the event; None for one that is invalid."""
        spec = receiver.spec
        if not spec.shortcuts.event:
            return receiver.handle_channel_event(cast(EventPayload, {**self._payload}))
        if spec in self._events:
            event = self._events[spec]
        else:
            event = self._events[spec] = spec.parse_event(self._payload)
        return None if event is None else receiver.receive_event(event.model_copy())


class EventDelivery(_HandledEvent):
    """An event that consumers handle."""

    __slots__ = ()

    async def give(self, member: Member) -> None:
        """Let the consumer handle the event."""
        handling = self.handling(member.consumer)
        if handling is not None:
            await handling


class _EventOfTopic(_HandledEvent):
    """An event that the subscribers of a topic handle, except for the client that has sent it and is left out."""

    __slots__ = ("_name", "_sender")

    def __init__(self, name: str, payload: EventPayload) -> None:
        super().__init__(payload)
        self._name = name
        self._sender: object = payload.get("from_channel")

    def handling_by(
        self, topic: EventReceiver | None, member: Member
    ) -> Coroutine[Any, Any, None] | None:
        """Return what handles the event for a member; None where nothing has to."""
        if topic is None or (self._sender is not None and self._sender == member.channel):
            return None
        return self.handling(topic)


class TopicDelivery(_EventOfTopic):
    """An event that is sent once."""

    __slots__ = ("_offset",)

    def __init__(self, payload: TopicEvent) -> None:
        super().__init__(payload["topic"], payload)
        offset = payload.get("seq")
        self._offset = offset if isinstance(offset, int) else None

    async def give(self, member: Member) -> None:
        """Let the topic handle the event."""
        topics = member.topics
        if topics is None:
            return
        topic = topics.receiver(self._name) or await topics.joined(self._name)
        handling = self.handling_by(topic, member)
        if handling is None:
            return
        if self._offset is None:
            await handling
        else:
            with member.numbering(self._offset):
                await handling


class EntryDelivery(_EventOfTopic):
    """An entry of the history of a topic."""

    __slots__ = ("entry",)

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name, cast(EventPayload, entry.event))
        self.entry: Entry = entry

    async def give(self, member: Member) -> None:
        """Let the topic handle the entry."""
        topics = member.topics
        topic = None if topics is None else topics.receiver(self._name)
        handling = self.handling_by(topic, member)
        if handling is not None:
            position = self.entry.position
            async with member.bookmarking(position.offset, position.cursor):
                await handling


class Resync:
    """The notification that messages may have been lost."""

    __slots__ = ("_on_give",)

    action = "resync"

    def __init__(self, on_give: Callable[[], None]) -> None:
        self._on_give = on_give

    def frames_for(self, member: Member) -> None:
        """Return None: the consumer decides what is sent."""

    async def give(self, member: Member) -> None:
        """Notify the client and the consumer, or close the connection, as the consumer's policy says."""
        self._on_give()
        consumer = member.consumer
        if consumer.layer_loss_policy == "close":
            await consumer.close(CLOSE_LAYER_UNAVAILABLE)
            return
        if consumer.send_resync_message:
            await consumer.send_message(ResyncMessage())
        await consumer.on_resync()


def delivery_of(message: ASGIEvent) -> "Delivery | None":
    """Decode a message of the layer; log an unknown one and return None."""
    counters.layer_messages += 1
    kind = message.get("type")
    name = kind.replace(".", "_") if isinstance(kind, str) else None
    if name == "handle_channel_event":
        return EventDelivery(cast(EventPayload, message))
    if name == TOPIC_EVENT_TYPE and isinstance(message.get("topic"), str):
        return TopicDelivery(cast(TopicEvent, message))
    if name != "handle_group_message":
        logger.warning("Layer message of type %.100r may not be dispatched", kind)
    elif isinstance(message.get("message"), dict):
        return GroupDelivery(cast(GroupMessageEvent, message))
    else:
        logger.warning("Group message without a message")
    return None


def group_content(event: GroupMessageEvent, codec: Codec, *, is_current: bool | None) -> JSONObject:
    """Return the content for a member. None omits `is_current`; a field of that name in the message wins."""
    content = event["message"]
    if is_current is None or "is_current" in content:
        return content
    return {**content, "isCurrent" if codec.wire.camelize else "is_current": is_current}


class _Run:
    """The progress of one task along the members."""

    __slots__ = ("at", "detached")

    def __init__(self) -> None:
        self.at: Member | None = None
        self.detached = False

    async def write(self, delivery: Delivery, members: Iterator[Member]) -> None:
        for member in members:
            self.at = member
            try:
                frames = delivery.frames_for(member)
                if frames is None or len(frames) > 1 or not member.keeps_up:
                    member.queue(delivery)
                elif frames:
                    await member.write(frames, delivery.action)
            except Exception:  # an option may be a property that raises
                logger.exception("Group message could not be delivered")
            if self.detached:
                return


async def fan_out(delivery: Delivery, members: Iterable[Member]) -> None:
    """Deliver a message to every member, without waiting for a slow socket.

    One task writes to one member after the other. If a socket makes it wait, it stays with that member, and another
    task continues with the rest.
    """
    remaining = iter([*members])
    while True:
        run = _Run()
        writing = spawn_apart(run.write(delivery, remaining))
        await let_start(writing)
        if writing.done():
            return
        run.detached = True
        if run.at is not None:
            run.at.adopt(writing)
