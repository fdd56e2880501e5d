"""What a test may conclude from silence, on every kind of channel layer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from typing import Any, Literal

import pytest

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.testing.communicator import WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from chanx_conformance.models import NewsEvent, SayMessage
from chanx_conformance.suite import Consumer, OnEveryLayer

__all__ = ["SilenceTests"]

# Seconds: a limit that no test reaches.
_LONG = 30.0
# Frames on their way through a server are missed now and then, not every time.
_ROUNDS = 10


class Relay(BaseMessage):
    """Ask the members of a group to say something to another group."""

    action: Literal["relay"] = "relay"
    payload: str


class Member(ChanxWebsocketConsumerMixin[Any]):
    """Says what it is told, after a while if there is a gate."""

    gate: asyncio.Event | None = None

    @ws_handler(output_type=NewsEvent)
    async def say(self, message: SayMessage) -> None:
        """Say it."""
        if self.gate is not None:
            await self.gate.wait()
        await self.broadcast_message(NewsEvent(payload=message.payload), exclude_current=True)

    @ws_handler
    async def relay(self, message: Relay) -> None:
        """Let the relays say it."""
        await self.broadcast_event(message, "relays")

    @event_handler
    async def on_relay(self, event: Relay) -> None:
        """Say it."""
        await self.broadcast_event(NewsEvent(payload=event.payload), "members")

    @event_handler
    async def on_news(self, event: NewsEvent) -> NewsEvent:
        """Pass it on."""
        return event


class SilenceTests(OnEveryLayer):
    """Tests that silence is reported only when nothing can come."""

    @pytest.fixture(autouse=True)
    async def nothing_left(self, layer: Any) -> AsyncGenerator[None]:
        """Check that no task is left but those of the layer, which end with it."""
        async with no_leaks():
            yield
            await layer.flush()

    @asynccontextmanager
    async def members(self, *kinds: Consumer) -> AsyncGenerator[list[WebsocketCommunicator]]:
        """Connect a member of each kind, which is in its group."""
        async with AsyncExitStack() as stack:
            members = [await stack.enter_async_context(self.connect_to(kind)) for kind in kinds]
            for member in members:
                await member.idle(_LONG)
            yield members

    def member(self, *groups: str, **options: Any) -> Consumer:
        """Make a consumer in these groups."""
        options = {"log_websocket_message": False, "layer_timeout": _LONG, **options}
        return self.make(Member, groups=list(groups), **options)

    @pytest.mark.parametrize("call", ["receive_nothing", "assert_nothing"])
    async def test_frame_of_another_connection_is_waited_for(self, call: str) -> None:
        """It is on its way through the layer when the test looks."""
        member = self.member("members")
        async with self.members(member, member) as (ada, grace):
            for number in range(_ROUNDS):
                await ada.send_message(SayMessage(payload=str(number)))
                assert await said_nothing(grace, call) is False
                assert await grace.expect(NewsEvent) == NewsEvent(payload=str(number))
            assert await said_nothing(grace, call) is True
            assert await said_nothing(ada, call) is True

    async def test_event_from_outside_is_waited_for(self) -> None:
        """Nobody in the process is busy with it."""
        member = self.member("members")
        async with self.members(member) as (ada,):
            for _ in range(_ROUNDS):
                await member.broadcast_event(NewsEvent(payload="news"), "members")
                assert not await ada.receive_nothing(_LONG)
                assert await ada.expect(NewsEvent) == NewsEvent(payload="news")

    async def test_message_that_causes_another_is_waited_for(self) -> None:
        """Over two groups and a connection between them."""
        sender, relay, member = self.member(), self.member("relays"), self.member("members")
        async with self.members(sender, relay, member) as (ada, _, grace):
            for _ in range(_ROUNDS):
                await ada.send_message(Relay(payload="news"))
                assert not await grace.receive_nothing(_LONG)
                assert await grace.expect(NewsEvent) == NewsEvent(payload="news")

    async def test_handler_of_another_connection_is_waited_for(self) -> None:
        """It may still send."""
        gate = asyncio.Event()
        slow, member = self.member("members", gate=gate), self.member("members")
        async with self.members(slow, member) as (ada, grace):
            await ada.send_message(SayMessage(payload="late"))
            looking = asyncio.ensure_future(grace.receive_nothing(_LONG))
            assert await ada.receive_nothing(0.05)
            assert not looking.done()
            gate.set()
            assert await looking is False

    async def test_silence_is_known_before_the_time_is_over(self) -> None:
        """Waiting for time to pass is not needed."""
        member = self.member("members")
        async with self.members(member, member) as (ada, grace):
            began = monotonic()
            assert await ada.receive_nothing(_LONG)
            await grace.assert_nothing(_LONG)
            assert monotonic() - began < _LONG / 2


async def said_nothing(ws: WebsocketCommunicator, call: str) -> bool:
    """Ask in one of the two ways whether nothing comes."""
    if call == "receive_nothing":
        return await ws.receive_nothing(_LONG)
    try:
        await ws.assert_nothing(_LONG)
    except AssertionError:
        return False
    return True
