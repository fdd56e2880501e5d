"""Shapes of ASGI events and of the messages that travel on a channel layer."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, NotRequired, Protocol, TypedDict

from chanx.core import _guard as _guard

if TYPE_CHECKING:
    from chanx.messages.base import BaseMessage

__all__ = [
    "ASGIEvent",
    "ASGIReceive",
    "ASGISend",
    "ChannelInfo",
    "ChannelLayer",
    "EventPayload",
    "GroupMessageEvent",
    "JSONObject",
    "Scope",
    "SendMessageFn",
    "TopicEvent",
]

# Any: ASGI events, scopes and JSON objects hold values of every type.
Scope = MutableMapping[str, Any]
ASGIEvent = Mapping[str, Any]
ASGIReceive = Callable[[], Awaitable[ASGIEvent]]
ASGISend = Callable[[dict[str, Any]], Awaitable[None]]
JSONObject = dict[str, Any]

SendMessageFn = Callable[["BaseMessage"], Awaitable[None]]


class ChannelInfo(TypedDict, total=False):
    """What `@channel` records about a consumer class."""

    name: str | None
    description: str | None
    tags: list[str] | None


class GroupMessageEvent(TypedDict):
    """A message on its way to the members of a group: layer type `handle_group_message`."""

    type: NotRequired[str]
    message: JSONObject
    exclude_current: NotRequired[bool]
    from_channel: NotRequired[str | None]


class EventPayload(TypedDict):
    """A typed event on its way to consumers: layer type `handle_channel_event`."""

    type: NotRequired[str]
    event_data: JSONObject


class TopicEvent(EventPayload):
    """A typed event on its way to the subscribers of a topic: layer type `handle_topic_event`."""

    topic: str
    seq: int | None
    from_channel: NotRequired[str]


class ChannelLayer(Protocol):
    """The part of the Channels layer interface that chanx uses (Channels' channel layer specification)."""

    async def new_channel(self, prefix: str = ...) -> str:
        """Return a channel name that nobody else listens on."""
        ...

    async def send(self, channel: str, message: Mapping[str, Any]) -> None:
        """Put a message on one channel; raises ChannelFull when it has no room."""
        ...

    async def receive(self, channel: str) -> Mapping[str, Any]:
        """Wait for the next message of a channel."""
        ...

    async def group_add(self, group: str, channel: str) -> None:
        """Make the channel a member of the group."""
        ...

    async def group_discard(self, group: str, channel: str) -> None:
        """End the channel's membership, if it has one."""
        ...

    async def group_send(self, group: str, message: Mapping[str, Any]) -> None:
        """Put a message on the channel of every member; full ones are skipped."""
        ...
