"""The channel layer with faults on demand, alone and under connections."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, ClassVar, Literal

import pytest

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.exceptions import LayerUnavailableError
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.testing import WebsocketCommunicator, no_leaks
from chanx.testing.channel_layer import FaultyChannelLayer
from chanx.testing.faults import ChannelFullError, LayerDownError
from chanx.type_defs import ASGIReceive, ASGISend, Scope


@pytest.fixture
def layer() -> FaultyChannelLayer:
    """Make a layer with room for three messages on a channel."""
    return FaultyChannelLayer(capacity=3)


@pytest.fixture
async def room(layer: FaultyChannelLayer) -> str:
    """Have two members in a room."""
    for channel in ("a", "b"):
        await layer.group_add("room", channel)
    return "room"


async def received(layer: FaultyChannelLayer, channel: str) -> list[Any]:
    """Return what is on a channel."""
    found: list[Any] = []
    while channel in layer.channels:
        found.append((await layer.receive(channel))["n"])
    return found


async def test_messages_reach_channels_and_groups_in_order(
    layer: FaultyChannelLayer, room: str
) -> None:
    """As on any layer; what the sender does with a message afterwards does not show."""
    message = {"n": [1]}
    await layer.group_send(room, message)
    message["n"].append(2)
    await layer.send("a", message)
    assert await received(layer, "a") == [[1], [1, 2]]
    assert await received(layer, "b") == [[1]]
    await layer.group_discard(room, "a")
    await layer.group_discard(room, "a")
    await layer.group_send(room, {"n": 3})
    assert list(layer.channels) == ["b"]
    await layer.flush()
    assert (layer.channels, layer.groups) == ({}, {})


async def test_a_receiver_waits(layer: FaultyChannelLayer) -> None:
    """Until a message comes; one that gives up takes none."""
    waiting = asyncio.ensure_future(layer.receive("a"))
    given_up = asyncio.ensure_future(layer.receive("a"))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    await layer.send("a", {"n": 1})
    assert await waiting == {"n": 1}


@pytest.mark.parametrize("name", ["", "a b", "é", "x" * 100, "a/b"])
async def test_names_are_checked(layer: FaultyChannelLayer, name: str) -> None:
    """As real layers do, with the cure."""
    for call in (layer.group_add(name, "a"), layer.group_send(name, {}), layer.send(name, {})):
        with pytest.raises(TypeError, match=r"is no name of a group.*safe_group_name"):
            await call


async def test_a_full_channel_is_told_to_senders_and_skipped_in_groups(
    layer: FaultyChannelLayer, room: str
) -> None:
    """By the layer's own bound, and on demand."""
    for number in range(3):
        await layer.send("a", {"n": number})
    with pytest.raises(ChannelFullError, match="a"):
        await layer.send("a", {"n": 3})
    await layer.group_send(room, {"n": 4})
    assert await received(layer, "a") == [0, 1, 2]
    with layer.full(channel="b") as fault:
        with pytest.raises(ChannelFullError):
            await layer.send("b", {"n": 5})
        await layer.group_send(room, {"n": 6})
    assert (await received(layer, "a"), await received(layer, "b")) == ([6], [4])
    assert fault.hits == 2


async def test_dropped_messages_are_lost(layer: FaultyChannelLayer, room: str) -> None:
    """Of a group, a channel, one channel of a group, or all; so many, or until the fault ends."""
    layer.drop(group=room, count=1)
    await layer.group_send(room, {"n": 1})
    await layer.group_send(room, {"n": 2})
    fault = layer.drop(channel="a")
    await layer.send("a", {"n": 3})
    await layer.group_send(room, {"n": 4})
    fault.stop()
    fault.stop()
    with layer.drop(group=room, channel="b"):
        await layer.group_send(room, {"n": 5})
        await layer.send("b", {"n": 6})
    assert await received(layer, "a") == [2, 5]
    assert await received(layer, "b") == [2, 4, 6]
    layer.drop()
    await layer.send("a", {"n": 7})
    await layer.group_send(room, {"n": 8})
    layer.heal()
    await layer.send("a", {"n": 9})
    assert (await received(layer, "a"), await received(layer, "b")) == ([9], [])


async def test_duplicated_messages_come_again(layer: FaultyChannelLayer, room: str) -> None:
    """Each copy is a message of its own."""
    layer.duplicate(group=room)
    layer.duplicate(channel="a", times=3)
    await layer.send("a", {"n": 1})
    await layer.group_send(room, {"n": 2})
    assert await received(layer, "a") == [1, 1, 1]
    assert await received(layer, "b") == [2, 2]


async def test_delayed_messages_come_by_the_clock(layer: FaultyChannelLayer, room: str) -> None:
    """In the order of their times; others overtake them."""
    with layer.delay(5, group=room):
        await layer.group_send(room, {"n": 1})
    with layer.delay(2, channel="a"):
        await layer.send("a", {"n": 2})
    await layer.send("a", {"n": 3})
    layer.clock.advance(1)
    assert await received(layer, "a") == [3]
    waiting = asyncio.ensure_future(layer.receive("a"))
    await asyncio.sleep(0)
    layer.clock.advance(10)
    assert (await waiting)["n"] == 2
    assert (await received(layer, "a"), await received(layer, "b")) == ([1], [1])
    with pytest.raises(ValueError, match="backwards"):
        layer.clock.advance(-1)


async def test_a_late_message_for_a_full_channel_is_lost(layer: FaultyChannelLayer) -> None:
    """Nobody waits for it."""
    with layer.delay(1):
        await layer.send("a", {"n": 0})
    for number in (1, 2, 3):
        await layer.send("a", {"n": number})
    layer.clock.advance(1)
    assert await received(layer, "a") == [1, 2, 3]


async def test_messages_and_memberships_expire_by_the_clock(
    layer: FaultyChannelLayer, room: str
) -> None:
    """60 s and a day, as on real layers."""
    await layer.send("a", {"n": 1})
    layer.clock.advance(61)
    await layer.send("a", {"n": 2})
    assert await received(layer, "a") == [2]
    await layer.group_add(room, "b")
    layer.clock.advance(86400 - 30)
    await layer.group_send(room, {"n": 3})
    assert list(layer.channels) == ["b"]


async def test_a_layer_that_is_down_refuses_everything(
    layer: FaultyChannelLayer, room: str
) -> None:
    """Those who wait already as well; it comes back with what it had."""
    await layer.send("b", {"n": 1})
    waiting = asyncio.ensure_future(layer.receive("a"))
    await asyncio.sleep(0)
    with layer.down():
        with pytest.raises(LayerDownError):
            await waiting
        calls: list[Callable[[], Any]] = [
            layer.new_channel,
            lambda: layer.send("a", {}),
            lambda: layer.receive("b"),
            lambda: layer.group_add(room, "c"),
            lambda: layer.group_discard(room, "a"),
            lambda: layer.group_send(room, {}),
        ]
        for call in calls:
            with pytest.raises(LayerDownError, match="as the test asked"):
                await call()
    await layer.group_send(room, {"n": 2})
    assert await received(layer, "b") == [1, 2]


async def test_a_channel_that_is_down_leaves_others_alone(layer: FaultyChannelLayer) -> None:
    """Two receive from it, and one from another."""
    waiting = [asyncio.ensure_future(layer.receive(name)) for name in ("a", "a", "b")]
    for _ in range(3):
        await asyncio.sleep(0)
    with layer.down(channel="a"):
        for receiving in waiting[:2]:
            with pytest.raises(LayerDownError):
                await receiving
        assert not waiting[2].done()
    await layer.send("b", {"n": 1})
    assert await waiting[2] == {"n": 1}


async def test_one_of_two_receivers_gives_up(layer: FaultyChannelLayer) -> None:
    """The other one goes on."""
    waiting = [asyncio.ensure_future(layer.receive("a")) for _ in range(2)]
    for _ in range(3):
        await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.wait(waiting[:1])
    await layer.send("a", {"n": 1})
    assert await waiting[1] == {"n": 1}


async def test_a_layer_may_forget_and_fail_in_parts(layer: FaultyChannelLayer, room: str) -> None:
    """One group alone can be out of reach; a restart can lose everything."""
    with layer.down(group=room, count=1):
        with pytest.raises(LayerDownError):
            await layer.group_send(room, {"n": 1})
        await layer.group_send(room, {"n": 2})
        await layer.send("a", {"n": 3})
    assert await received(layer, "a") == [2, 3]
    layer.down(forget=True).stop()
    await layer.group_send(room, {"n": 4})
    assert (layer.channels, layer.groups) == ({}, {})


# Under connections


class News(BaseMessage):
    """An event."""

    action: Literal["news"] = "news"
    payload: int


class Reader(ChanxWebsocketConsumerMixin[News]):
    """Passes news on."""

    groups = ["readers"]  # noqa: RUF012 - the documented way to write it
    layer: ClassVar[FaultyChannelLayer]
    resynced: ClassVar[asyncio.Event]

    async def on_resync(self) -> None:
        """Tell the test."""
        self.resynced.set()

    @ws_handler(output_type=News)
    async def ping(self, message: PingMessage) -> None:
        """Tell everybody."""
        await self.broadcast_message(News(payload=0))

    @event_handler
    async def news(self, event: News) -> News:
        """Pass on."""
        return event


def layer_of_the_test(alias: str) -> FaultyChannelLayer:
    """Return it under every alias."""
    return Reader.layer


Reader.get_channel_layer = staticmethod(layer_of_the_test)


async def application(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
    """Serve readers."""
    await Reader()(scope, receive, send)


@pytest.fixture
async def reader(layer: FaultyChannelLayer) -> AsyncIterator[WebsocketCommunicator]:
    """Connect."""
    Reader.layer = layer
    Reader.resynced = asyncio.Event()
    async with no_leaks(layer):
        async with WebsocketCommunicator(application, "/ws", consumer=Reader) as ws:
            await ws.idle()
            yield ws
        layer.heal()


async def test_nothing_of_what_is_dropped_reaches_a_client(
    layer: FaultyChannelLayer, reader: WebsocketCommunicator
) -> None:
    """And everything else does: what the layer carries in the process is waited for by `idle()`."""
    with layer.drop(group="readers"):
        await Reader.broadcast_event(News(payload=1))
        await reader.assert_nothing()
    await Reader.broadcast_event(News(payload=2))
    await reader.idle()
    assert reader.output_queue.qsize() == 1
    assert await reader.expect(News) == News(payload=2)
    await reader.request(PingMessage())
    assert await reader.expect(News) == News(payload=0)


async def test_a_delayed_event_comes_when_the_clock_says(
    layer: FaultyChannelLayer, reader: WebsocketCommunicator
) -> None:
    """No second passes for it."""
    with layer.delay(3600, group="readers"):
        await Reader.broadcast_event(News(payload=1))
    await reader.assert_nothing()
    layer.clock.advance(3600)
    assert await reader.expect(News) == News(payload=1)


async def test_a_layer_that_was_down_is_joined_again(
    layer: FaultyChannelLayer, reader: WebsocketCommunicator
) -> None:
    """Nobody stays open and deaf, though the layer has forgotten everything."""
    with layer.down(forget=True) as fault:
        with pytest.raises(LayerUnavailableError):
            await Reader.broadcast_event(News(payload=1))
        await reader.assert_nothing()
    assert fault.hits > 1
    await asyncio.wait_for(Reader.resynced.wait(), 5)
    await Reader.broadcast_event(News(payload=2))
    assert await reader.expect(News) == News(payload=2)
