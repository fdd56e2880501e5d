"""Captures of what consumers hand to the layer."""

import asyncio
import inspect
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Literal

import pytest
from asgiref.sync import sync_to_async

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.testing import (
    CapturedBroadcastEvent,
    CapturedGroupMessage,
    CapturedSentEvent,
    WebsocketCommunicator,
    capture_broadcast_events,
    capture_group_messages,
    capture_sent_events,
)
from chanx.type_defs import ASGIReceive, ASGISend, Scope


class Layer:
    """Notes what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    async def new_channel(self, prefix: str = "") -> str:
        """Name a channel."""
        return "mine"

    async def send(self, channel: str, message: Mapping[str, Any]) -> None:
        """Note."""
        self.sent.append((channel, message["event_data"]["payload"]))

    async def receive(self, channel: str) -> Mapping[str, Any]:
        """Wait for ever."""
        await asyncio.Event().wait()
        return {}

    async def group_add(self, group: str, channel: str) -> None:
        """Take no members."""

    async def group_discard(self, group: str, channel: str) -> None:
        """Take no members."""

    async def group_send(self, group: str, message: Mapping[str, Any]) -> None:
        """Note."""
        content = message.get("event_data") or message["message"]
        self.sent.append((group, content["payload"]))


class News(BaseMessage):
    """An event."""

    action: Literal["news"] = "news"
    payload: str


def layer_of_the_test(alias: str) -> Layer:
    """Return it under every alias."""
    return Base.layer


class Base(ChanxWebsocketConsumerMixin[News]):
    """Has a layer."""

    groups = ["all"]  # noqa: RUF012 - the documented way to write it
    layer: ClassVar[Layer]
    get_channel_layer: ClassVar[Any] = staticmethod(layer_of_the_test)

    @event_handler
    async def news(self, event: News) -> None:
        """Hear it."""


class Child(Base):
    """Inherits everything."""


class Grandchild(Child):
    """Adds something on the way."""

    @classmethod
    async def broadcast_event(cls, event: News, groups: Any = None) -> None:
        """Say more."""
        await super().broadcast_event(News(payload=f"{event.payload}!"), groups)


@pytest.fixture(autouse=True)
def layer() -> Layer:
    """Make the layer anew."""
    Base.layer = Layer()
    return Base.layer


async def test_broadcast_events_are_captured_and_kept_from_the_layer(layer: Layer) -> None:
    """Groups are those that were passed."""
    with capture_broadcast_events(Base) as captured:
        await Base.broadcast_event(News(payload="a"))
        await Base.broadcast_event(News(payload="b"), "room")
        await Base.broadcast_event(News(payload="c"), groups=["x", "y"])

    assert captured == [
        CapturedBroadcastEvent(News(payload="a"), None),
        CapturedBroadcastEvent(News(payload="b"), "room"),
        CapturedBroadcastEvent(News(payload="c"), ["x", "y"]),
    ]
    assert layer.sent == []
    await Base.broadcast_event(News(payload="d"))
    assert layer.sent == [("all", "d")]


async def test_what_is_not_suppressed_goes_on(layer: Layer) -> None:
    """And keeps the class on which it was called."""
    with capture_broadcast_events(Base, suppress=False) as captured:
        await Child.broadcast_event(News(payload="a"))

    assert [item.event for item in captured] == [News(payload="a")]
    assert layer.sent == [("all", "a")]


async def test_sent_events_are_captured(layer: Layer) -> None:
    """With their channel."""
    with capture_sent_events(Base) as captured, capture_sent_events(Base, suppress=False):
        await Base.send_event(News(payload="a"), "theirs")
        await Child.send_event(News(payload="b"), channel_name="theirs")

    assert captured == [
        CapturedSentEvent(News(payload="a"), "theirs"),
        CapturedSentEvent(News(payload="b"), "theirs"),
    ]
    assert layer.sent == []


@pytest.mark.parametrize("suppress", [True, False])
async def test_group_messages_are_captured(layer: Layer, suppress: bool) -> None:
    """Those of handlers, with what they were told about the sender."""

    class Speaker(Base):
        @ws_handler
        async def ping(self, message: PingMessage) -> None:
            """Tell everybody."""
            await self.broadcast_message(News(payload="a"), exclude_current=True)
            await self.broadcast_message({"action": "news", "payload": "b"}, "room")

    async def application(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        await Speaker()(scope, receive, send)

    with capture_group_messages(Base, suppress) as captured:
        async with WebsocketCommunicator(application, "/ws", consumer=Speaker) as ws:
            await ws.request(PingMessage())

    assert captured == [
        CapturedGroupMessage(News(payload="a"), None, True),
        CapturedGroupMessage({"action": "news", "payload": "b"}, "room", False),
    ]
    assert layer.sent == ([] if suppress else [("all", "a"), ("room", "b")])


async def test_the_sync_twins_are_captured(layer: Layer) -> None:
    """They are called from threads."""

    def send() -> None:
        Child.broadcast_event_sync(News(payload="a"), "room")
        Child.send_event_sync(News(payload="b"), "theirs")

    with capture_broadcast_events(Base) as broadcast, capture_sent_events(Child) as sent:
        await sync_to_async(send)()

    assert broadcast == [CapturedBroadcastEvent(News(payload="a"), "room")]
    assert sent == [CapturedSentEvent(News(payload="b"), "theirs")]
    assert layer.sent == []


@pytest.mark.parametrize("outer_suppresses", [True, False])
@pytest.mark.parametrize("inner_suppresses", [True, False])
async def test_captures_nest(layer: Layer, outer_suppresses: bool, inner_suppresses: bool) -> None:
    """Both see a call, and either can keep it from the layer."""
    with (
        capture_broadcast_events(Base, outer_suppresses) as outer,
        capture_broadcast_events(Child, inner_suppresses) as inner,
        capture_broadcast_events(Child, inner_suppresses) as innermost,
    ):
        await Child.broadcast_event(News(payload="a"))
        await Base.broadcast_event(News(payload="b"))

    assert [item.event.payload for item in outer] == ["a", "b"]
    assert [item.event.payload for item in inner] == ["a"]
    assert innermost == inner
    sent = [("all", "a")] * (not (outer_suppresses or inner_suppresses))
    assert layer.sent == sent + [("all", "b")] * (not outer_suppresses)


async def test_captures_end_in_any_order(layer: Layer) -> None:
    """As those of two tasks may."""
    first, second = capture_broadcast_events(Base), capture_broadcast_events(Base)
    one, two = first.__enter__(), second.__enter__()
    first.__exit__(None, None, None)
    await Base.broadcast_event(News(payload="a"))
    second.__exit__(None, None, None)
    await Base.broadcast_event(News(payload="b"))

    assert (len(one), len(two)) == (0, 1)
    assert layer.sent == [("all", "b")]


@pytest.mark.parametrize("owner", [Base, Child, Grandchild])
@pytest.mark.parametrize(
    ("capture", "name"),
    [
        (capture_broadcast_events, "broadcast_event"),
        (capture_sent_events, "send_event"),
        (capture_group_messages, "broadcast_message"),
    ],
)
def test_the_class_is_left_exactly_as_it_was(owner: type[Base], capture: Any, name: str) -> None:
    """A method that was inherited is inherited again, one of its own is the same object; after errors as well."""
    before = {base: dict(vars(base)) for base in owner.__mro__}

    def fail() -> None:
        block: AbstractContextManager[list[Any]] = capture(owner)
        with block:
            assert name in vars(owner)
            raise ValueError("of the test")

    with pytest.raises(ValueError, match="of the test"):
        fail()

    assert {base: dict(vars(base)) for base in owner.__mro__} == before


async def test_an_override_is_called_on_its_way(layer: Layer) -> None:
    """A capture of a base sees what arrives there; one of the class itself, what was passed."""
    with (
        capture_broadcast_events(Base) as at_base,
        capture_broadcast_events(Grandchild, suppress=False) as at_class,
    ):
        await Grandchild.broadcast_event(News(payload="a"))

    assert [item.event.payload for item in at_base] == ["a!"]
    assert [item.event.payload for item in at_class] == ["a"]
    assert layer.sent == []


def test_a_captured_method_looks_the_same() -> None:
    """For whoever reads its signature."""
    before = inspect.signature(Base.broadcast_event)
    with capture_broadcast_events(Base):
        assert inspect.signature(Base.broadcast_event) == before
        assert inspect.iscoroutinefunction(Base.broadcast_event)
