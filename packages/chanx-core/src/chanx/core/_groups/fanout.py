"""One message of a group on its way to the members in this process: decoded once, written once for all."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Protocol, cast

from chanx.constants import CLOSE_LAYER_UNAVAILABLE
from chanx.core._ports import ReceivingConsumer
from chanx.core._runtime.tasks import let_start, spawn_apart
from chanx.core._telemetry.counters import counters
from chanx.core.codec import Codec
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import GroupCompleteMessage, ResyncMessage
from chanx.type_defs import ASGIEvent, EventPayload, GroupMessageEvent, JSONObject
from chanx.utils.logging import logger

__all__ = ["Delivery", "Member", "Resync", "delivery_of", "fan_out", "group_content"]


class Member(Protocol):
    """A connection, as those who deliver see it."""

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
        """True while nothing waits before what would be sent now."""
        ...

    def write(self, texts: tuple[str, ...], action: Any) -> Awaitable[None]:
        """Send frames at once."""
        ...

    def queue(self, delivery: "Delivery") -> None:
        """Take a delivery behind what waits already."""
        ...

    def adopt(self, writing: asyncio.Task[None]) -> None:
        """End with the connection a task that waits for its socket."""
        ...


class Delivery(Protocol):
    """What a group's members receive."""

    @property
    def action(self) -> Any:
        """The action of the frames, for the log."""
        ...

    def frames_for(self, member: Member) -> tuple[str, ...] | None:
        """Return the frames for a member's socket; None where its consumer has to handle the message."""
        ...

    async def give(self, member: Member) -> None:
        """Take the message through the consumer's hooks."""
        ...


class GroupDelivery:
    """A message that clients receive as it is."""

    __slots__ = ("_event", "_excludes", "_frames", "_sender", "action")

    def __init__(self, event: GroupMessageEvent) -> None:
        self._event = event
        # Empty where nobody's connection sent it, and so are the names of channels that nobody has asked for.
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
        """Send the frames, or let the consumer's own hook do it with a copy of the layer's message."""
        frames = self.frames_for(member)
        if frames is None:
            message = {**self._event["message"]}
            await member.consumer.handle_group_message({**self._event, "message": message})
        elif frames:
            await member.write(frames, self.action)


class EventDelivery:
    """An event that consumers handle."""

    __slots__ = ("_events", "_payload")

    action = None

    def __init__(self, payload: EventPayload) -> None:
        self._payload = payload
        self._events: dict[type, BaseMessage | None] = {}

    def frames_for(self, member: Member) -> None:
        """Have no frames: what is sent is what the handlers return."""

    async def give(self, member: Member) -> None:
        """Let the consumer handle a shallow copy of the event, which is validated once for each class."""
        consumer = member.consumer
        kind = type(consumer)
        if not kind.spec.shortcuts.event:
            await consumer.handle_channel_event({**self._payload})
            return
        if kind in self._events:
            event = self._events[kind]
        else:
            event = self._events[kind] = kind.spec.parse_event(self._payload)
        if event is not None:
            await consumer.receive_event(event.model_copy())


class Resync:
    """Not a message: that some may have been lost while the layer did not answer."""

    __slots__ = ("_on_give",)

    action = "resync"

    def __init__(self, on_give: Callable[[], None]) -> None:
        self._on_give = on_give

    def frames_for(self, member: Member) -> None:
        """Have no frames of its own: the consumer decides."""

    async def give(self, member: Member) -> None:
        """Tell the client and the consumer, or close, whatever the consumer's policy is."""
        self._on_give()
        consumer = member.consumer
        if consumer.layer_loss_policy == "close":
            await consumer.close(CLOSE_LAYER_UNAVAILABLE)
            return
        if consumer.send_resync_message:
            await consumer.send_message(ResyncMessage())
        await consumer.on_resync()


def delivery_of(message: ASGIEvent) -> "Delivery | None":
    """Decode a message of the layer; what is none of ours is logged."""
    counters.layer_messages += 1
    kind = message.get("type")
    name = kind.replace(".", "_") if isinstance(kind, str) else None
    if name == "handle_channel_event":
        return EventDelivery(cast(EventPayload, message))
    if name != "handle_group_message":
        logger.warning("Layer message of type %.100r may not be dispatched", kind)
    elif isinstance(message.get("message"), dict):
        return GroupDelivery(cast(GroupMessageEvent, message))
    else:
        logger.warning("Group message without a message")
    return None


def group_content(event: GroupMessageEvent, codec: Codec, *, is_current: bool | None) -> JSONObject:
    """Return what a member is sent; None leaves `is_current` out, and a field of that name in the message wins."""
    content = event["message"]
    if is_current is None or "is_current" in content:
        return content
    return {**content, "isCurrent" if codec.wire.camelize else "is_current": is_current}


class _Run:
    """One task's way along the members."""

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
            except Exception:  # an option may be a property of the consumer's own
                logger.exception("Group message could not be delivered")
            if self.detached:
                return


async def fan_out(delivery: Delivery, members: Iterable[Member]) -> None:
    """Give a message to every member, without waiting for anybody's socket.

    One task writes to one member after the other. Where a socket makes it wait, it stays with that member, and another
    task goes on with the rest.
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
