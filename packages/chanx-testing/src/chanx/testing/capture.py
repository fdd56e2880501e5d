"""What consumers hand to the channel layer, kept for a test to look at."""

import inspect
from collections.abc import Callable, Collection, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Generic, TypeVar

from chanx.core.topic import Topic
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage

__all__ = [
    "CapturedBroadcastEvent",
    "CapturedGroupMessage",
    "CapturedSentEvent",
    "CapturedTopicBroadcast",
    "capture_broadcast_events",
    "capture_group_messages",
    "capture_sent_events",
    "capture_topic_broadcasts",
]

# Any: which events a consumer can be sent is no business of a capture.
Consumer = type[ChanxWebsocketConsumerMixin[Any]]
Groups = Collection[str] | str | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CapturedBroadcastEvent:
    """One call of `broadcast_event()`, or of its sync twin; `groups` as they were passed."""

    event: BaseMessage
    groups: Groups


@dataclass(frozen=True, slots=True)
class CapturedSentEvent:
    """One call of `send_event()`, or of its sync twin."""

    event: BaseMessage
    channel_name: str


@dataclass(frozen=True, slots=True)
class CapturedGroupMessage:
    """One call of `broadcast_message()`; `groups` as they were passed."""

    message: BaseMessage | dict[str, Any]
    groups: Groups
    exclude_current: bool


@dataclass(frozen=True, slots=True)
class CapturedTopicBroadcast:
    """One call of a topic's `broadcast()`, or of its sync twin."""

    topic: str
    event: BaseMessage
    seq: int | None


@contextmanager
def capture_broadcast_events(
    consumer: Consumer, suppress: bool = True
) -> Generator[list[CapturedBroadcastEvent]]:
    """Collect the events that a consumer class and its subclasses broadcast; `suppress` keeps them from the layer."""

    def read(event: BaseMessage, groups: Groups = None) -> CapturedBroadcastEvent:
        return CapturedBroadcastEvent(event, groups)

    with _capturing(consumer, "broadcast_event", read, suppress) as captured:
        yield captured


@contextmanager
def capture_sent_events(
    consumer: Consumer, suppress: bool = True
) -> Generator[list[CapturedSentEvent]]:
    """Collect the events that a consumer class and its subclasses send; `suppress` keeps them from the layer."""

    def read(event: BaseMessage, channel_name: str) -> CapturedSentEvent:
        return CapturedSentEvent(event, channel_name)

    with _capturing(consumer, "send_event", read, suppress) as captured:
        yield captured


@contextmanager
def capture_group_messages(
    consumer: Consumer, suppress: bool = True
) -> Generator[list[CapturedGroupMessage]]:
    """Collect the messages that connections of a class and its subclasses broadcast to groups."""

    def read(
        message: BaseMessage | dict[str, Any],
        groups: Groups = None,
        *,
        exclude_current: bool = False,
    ) -> CapturedGroupMessage:
        return CapturedGroupMessage(message, groups, exclude_current)

    with _capturing(consumer, "broadcast_message", read, suppress) as captured:
        yield captured


# Any: which events a topic can be sent is no business of a capture.
@contextmanager
def capture_topic_broadcasts(
    topic_class: type[Topic[Any]], *, suppress: bool = True
) -> Generator[list[CapturedTopicBroadcast]]:
    """Collect the events that are broadcast to the topics of a class and its subclasses, from anywhere.

    A broadcast that the class refuses raises as without a capture, and is not among them.
    """

    def read(
        topic: str, event: BaseMessage, seq: int | None, excluded: str | None
    ) -> CapturedTopicBroadcast:
        return CapturedTopicBroadcast(topic, event, seq)

    with _capturing(topic_class, "_send_to_layers", read, suppress) as captured:
        yield captured


class _Capture(Generic[T]):
    """One `with` block that looks at calls of one method."""

    def __init__(self, read: Callable[..., T], suppress: bool) -> None:
        self.captured: list[T] = []
        self.suppress = suppress
        self._read = read

    def note(self, *args: Any, **kwargs: Any) -> None:
        self.captured.append(self._read(*args, **kwargs))


@dataclass
class _Patch:
    """A method of one class while somebody looks at its calls; several may look at once."""

    owner: type
    name: str
    captures: list[_Capture[Any]] = field(default_factory=list[_Capture[Any]])
    own: Any = None

    def install(self) -> None:
        """Put a method in front of the one that the class has or inherits."""
        self.own = vars(self.owner).get(self.name)
        found: Any = inspect.getattr_static(self.owner, self.name)
        is_of_class = type(found) is classmethod
        function: Callable[..., Coroutine[Any, Any, None]] = getattr(found, "__func__", found)

        @wraps(function)
        async def watched(bound: Any, *args: Any, **kwargs: Any) -> None:
            taken: Any = self._replaced()
            method = taken.__get__(None, bound) if is_of_class else taken.__get__(bound)
            await self._call(method, *args, **kwargs)

        replacement: Any = watched
        setattr(self.owner, self.name, classmethod(replacement) if is_of_class else replacement)

    def _replaced(self) -> Any:
        """Return the method in whose place this is; a base class may have got another one meanwhile."""
        if self.own is not None:
            return self.own
        inherited = (vars(base) for base in self.owner.__mro__[1:])
        return next(names[self.name] for names in inherited if self.name in names)

    def remove(self) -> None:
        """Leave the class as it was, down to whether the method is its own."""
        if self.own is None:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.own)

    async def _call(
        self, method: Callable[..., Coroutine[Any, Any, None]], *args: Any, **kwargs: Any
    ) -> None:
        for capture in self.captures:
            capture.note(*args, **kwargs)
        if not any(capture.suppress for capture in self.captures):
            await method(*args, **kwargs)
            return
        # The call goes no further, so that those who look at a base class would not hear of it.
        for base in self.owner.__mro__[1:]:
            patch = _patches.get((base, self.name))
            for capture in patch.captures if patch else ():
                capture.note(*args, **kwargs)


_patches: dict[tuple[type, str], _Patch] = {}


@contextmanager
def _capturing(
    owner: type, name: str, read: Callable[..., T], suppress: bool
) -> Generator[list[T]]:
    patch = _patches.get((owner, name))
    if patch is None:
        patch = _patches[owner, name] = _Patch(owner, name)
        patch.install()
    capture = _Capture(read, suppress)
    patch.captures.append(capture)
    try:
        yield capture.captured
    finally:
        patch.captures.remove(capture)
        if not patch.captures:
            del _patches[owner, name]
            patch.remove()
