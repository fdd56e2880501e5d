"""Topics on every kind of channel layer, some of them on a real server."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any, ClassVar

import pytest

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.health import snapshot
from chanx.core.topic import Topic
from chanx.testing.leaks import no_leaks
from chanx_conformance.consumers import Answering
from chanx_conformance.models import NewsEvent, SayMessage
from chanx_conformance.suite import OnEveryLayer

__all__ = ["TopicLayerTests"]

# Seconds: a limit that no test reaches.
_LONG = 30.0
_ROUNDS = 20


class PlaceTopic(Topic[NewsEvent]):
    """A place with a name that layers would not take as it is."""

    pattern = "place:{name}"

    @ws_handler
    async def say(self, message: SayMessage) -> None:
        """Broadcast to the others."""
        await self.broadcast(NewsEvent(payload=message.payload), exclude_current=True)

    @event_handler
    async def news(self, event: NewsEvent) -> SayMessage:
        """Pass it on."""
        return SayMessage(payload=event.payload)


class Town(Answering):
    """Has the places."""

    topics: ClassVar[Any] = [PlaceTopic]
    layer_timeout = _LONG
    log_websocket_message = False


class TopicLayerTests(OnEveryLayer):
    """Subscribing, broadcasts and endings, wherever the groups are."""

    @pytest.fixture(autouse=True)
    async def nothing_left(self, layer: Any) -> AsyncGenerator[None]:
        """Check that no task is left but those of the layer, which end with it, and no group."""
        async with no_leaks():
            yield
            await layer.flush()
        assert snapshot().groups == 0

    async def test_broadcasts_arrive_in_order(self) -> None:
        """At every subscriber once, and at nobody else; names may hold whatever a client writes."""
        town = self.make(Town)
        names = ["place:ä ö/ü", f"place:{'x' * 240}", "place:a"]
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(self.connect_to(town)) for _ in names]
            for ws, name in zip(clients, names, strict=True):
                assert (await ws.subscribe(name, timeout=_LONG))["action"] == "subscribed"
            for number in range(_ROUNDS):
                for name in names:
                    await PlaceTopic.broadcast(name, NewsEvent(payload=name), seq=number)
            for ws, name in zip(clients, names, strict=True):
                frames = [await ws.receive_json_from(_LONG) for _ in range(_ROUNDS)]
                assert {(frame["topic"], frame["payload"]) for frame in frames} == {(name, name)}
                assert [frame["seq"] for frame in frames] == [*range(_ROUNDS)]
                await ws.assert_nothing(_LONG)

    async def test_what_is_broadcast_after_unsubscribing_does_not_arrive(self) -> None:
        """What is broadcast after subscribing again does."""
        town = self.make(Town)
        async with self.connect_to(town) as one, self.connect_to(town) as two:
            await two.subscribe("place:a", timeout=_LONG)
            for number in range(_ROUNDS):
                await one.subscribe("place:a", timeout=_LONG)
                await PlaceTopic.broadcast("place:a", NewsEvent(payload=f"in {number}"))
                assert (await one.receive_json_from(_LONG))["payload"] == f"in {number}"
                await one.unsubscribe("place:a", timeout=_LONG)
                await PlaceTopic.broadcast("place:a", NewsEvent(payload=f"out {number}"))
                for word in ("in", "out"):
                    assert (await two.receive_json_from(_LONG))["payload"] == f"{word} {number}"
            await one.assert_nothing(_LONG)

    async def test_the_sender_may_be_left_out(self) -> None:
        """By its channel."""
        town = self.make(Town)
        async with self.connect_to(town) as one, self.connect_to(town) as two:
            for ws in (one, two):
                await ws.subscribe("place:a", timeout=_LONG)
            await one.send_message(SayMessage(payload="a"), topic="place:a")
            assert (await two.receive_json_from(_LONG))["payload"] == "a"
            await one.assert_nothing(_LONG)

    async def test_nothing_is_left_of_clients_that_leave_at_once(self) -> None:
        """With many topics each, and requests on their way."""
        town = self.make(Town)
        clients = [self.connect_to(town) for _ in range(5)]
        for ws in clients:
            await ws.connect()
            for number in range(_ROUNDS):
                name = f"place:{number}"
                await ws.send_to(text_data=json.dumps({"action": "subscribe", "topic": name}))
            await ws.receive_json_from(_LONG)
        await asyncio.gather(*(ws.disconnect(timeout=_LONG) for ws in clients))
