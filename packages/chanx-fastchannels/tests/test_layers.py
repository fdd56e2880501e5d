"""Declaring channel layers, and closing them."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal, cast

import pytest
from fast_channels.layers import BaseChannelLayer, channel_layers
from redis.asyncio import Redis
from redis.exceptions import MaxConnectionsError
from redis.exceptions import TimeoutError as RedisTimeoutError

from chanx.core.decorators import channel, event_handler, ws_handler
from chanx.fast_channels.layers import (
    close_layers,
    memory_layer,
    pubsub_layer,
    queue_layer,
    register_layers,
)
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from chanx.testing.valkey import valkey_server

KINDS = ["memory", "pubsub", "queue"]
TIME_LIMIT = 10.0


class NewsMessage(BaseMessage):
    action: Literal["news"] = "news"
    payload: str


@channel(name="news")
class NewsConsumer(AsyncJsonWebsocketConsumer[NewsMessage]):
    channel_layer_alias = "news"
    groups = ["readers"]  # noqa: RUF012 - the documented way to write it

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()

    @ws_handler(output_type=NewsMessage)
    async def handle_news(self, message: NewsMessage) -> None:
        await self.broadcast_message(message)

    @event_handler
    async def handle_event(self, event: NewsMessage) -> NewsMessage:
        return event


class NumberMessage(BaseMessage):
    action: Literal["number"] = "number"
    payload: int


class NumberConsumer(NewsConsumer):
    @ws_handler(output_type=NumberMessage)
    async def handle_number(self, message: NumberMessage) -> None:
        await self.broadcast_message(message)


class OtherConsumer(NewsConsumer):
    channel_layer_alias = "other"


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with valkey_server() as server:
        yield server.url


def layer_of(kind: str, url: str, prefix: str) -> BaseChannelLayer:
    match kind:
        case "memory":
            return memory_layer()
        case "pubsub":
            return pubsub_layer(url, prefix=prefix)
        case _:
            return queue_layer(url, prefix=prefix)


@pytest.fixture(params=KINDS)
async def layers(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[None]:
    """Two layers of a kind, on one server."""
    kind = request.param
    register_layers({name: layer_of(kind, redis_url, name) for name in ("news", "other")})
    yield
    await close_layers()
    channel_layers.clear()


def connected(consumer: type[NewsConsumer]) -> WebsocketCommunicator:
    return WebsocketCommunicator(consumer.as_asgi(), "/ws", consumer=consumer)


async def joined(ws: WebsocketCommunicator) -> None:
    await ws.send_message(PingMessage())
    assert await ws.receive_message() == PongMessage()


@pytest.mark.usefixtures("layers")
async def test_groups_and_events_on_every_kind() -> None:
    async with connected(NewsConsumer) as ada, connected(NewsConsumer) as grace:
        await joined(ada)
        await joined(grace)
        await ada.send_message(NewsMessage(payload="hello"))
        frames = [await ws.receive_json_from() for ws in (ada, grace)]
        await NewsConsumer.broadcast_event(NewsMessage(payload="event"))
        events = [await ws.receive_message() for ws in (ada, grace)]

    assert [frame["is_current"] for frame in frames] == [True, False]
    assert [frame["payload"] for frame in frames] == ["hello", "hello"]
    assert events == [NewsMessage(payload="event")] * 2


@pytest.mark.usefixtures("layers")
async def test_message_that_a_layer_cannot_write_is_missed_by_nobody() -> None:
    """Its sender gets the error, and the group is not told that something was lost."""
    async with connected(NumberConsumer) as ada, connected(NumberConsumer) as grace:
        await joined(grace)
        for number in (1, 10**30, 2):  # in between one that Redis's layers refuse
            await ada.send_message(NumberMessage(payload=number))
        heard = [0]
        while heard[-1] != 2:
            heard.append((await grace.receive_json_from(timeout=10))["payload"])

        assert heard in ([0, 1, 2], [0, 1, 10**30, 2])
        with pytest.raises(TimeoutError):  # a loss is told after a second
            await grace.receive_from(timeout=1.5)


@pytest.mark.usefixtures("layers")
async def test_prefixes_are_apart() -> None:
    """Groups of one name in two layers on one server do not hear each other."""
    async with connected(NewsConsumer) as news, connected(OtherConsumer) as other:
        await joined(news)
        await joined(other)
        await NewsConsumer.broadcast_event(NewsMessage(payload="for news"))
        await OtherConsumer.broadcast_event(NewsMessage(payload="for other"))

        assert await news.receive_message() == NewsMessage(payload="for news")
        assert await other.receive_message() == NewsMessage(payload="for other")


async def test_groups_that_have_closed_leave_nothing_in_the_layer(redis_url: str) -> None:
    """Neither a task whose cancellation Redis's client has swallowed, nor the layer's buffer of a channel."""
    layer: Any = queue_layer(redis_url, prefix="closed")
    register_layers({"news": layer})
    async with asyncio.timeout(5), no_leaks():
        for _ in range(5):
            async with connected(NewsConsumer) as ws:
                await joined(ws)
    left = list(layer.receive_buffer)
    await close_layers()
    channel_layers.clear()

    assert left == []


async def test_closing_leaves_what_waits(redis_url: str) -> None:
    """A queue outlives the process that filled it, and the one that closed its own connections."""
    register_layers({"news": queue_layer(redis_url, prefix="waits")})
    await channel_layers["news"].send("inbox", {"type": "letter", "text": "hello"})
    await close_layers()
    channel_layers.clear()

    register_layers({"news": queue_layer(redis_url, prefix="waits")})
    received = await channel_layers["news"].receive("inbox")
    await close_layers()
    channel_layers.clear()

    assert received == {"type": "letter", "text": "hello"}


async def test_an_address_limits_its_connections(redis_url: str) -> None:
    """One is taken by a receive that waits, so there is none left to send by."""
    layer = queue_layer(f"{redis_url}?max_connections=1", prefix="narrow")
    waiting = asyncio.create_task(layer.receive("inbox"))
    async with asyncio.timeout(TIME_LIMIT):
        while not await clients(redis_url, "bzpopmin"):
            pass  # each look is a round trip
    with pytest.raises(MaxConnectionsError):
        await layer.send("outbox", {"type": "letter"})

    waiting.cancel()
    await asyncio.wait([waiting])
    await layer.close_pools()


async def clients(url: str, command: str) -> int:
    """Count the connections of a server that do this now."""
    connections = cast(Any, Redis)  # its annotations are incomplete
    async with connections.from_url(url) as redis:
        return sum(client["cmd"] == command for client in await redis.client_list())


async def test_an_address_limits_how_long_a_server_may_be_silent() -> None:
    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(stay_silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        layer = queue_layer(f"redis://127.0.0.1:{port}/0?socket_timeout=0.1")
        async with asyncio.timeout(TIME_LIMIT):
            with pytest.raises(RedisTimeoutError):
                await layer.send("outbox", {"type": "letter"})
        await layer.close_pools()


def test_bounds_reach_the_layer() -> None:
    queue: Any = queue_layer("redis://127.0.0.1/0", expiry=900, capacity=1000, group_expiry=5)
    memory: Any = memory_layer(expiry=900, capacity=1000, group_expiry=5)

    for layer in (queue, memory):
        assert (layer.expiry, layer.capacity, layer.group_expiry) == (900, 1000, 5)


@pytest.mark.parametrize("make", [pubsub_layer, queue_layer], ids=["pubsub", "queue"])
def test_a_redis_layer_needs_a_host(make: Any) -> None:
    with pytest.raises(TypeError, match=r"redis://127\.0\.0\.1:6379/0"):
        make()


async def test_layers_of_others_are_closed_too() -> None:
    closed: list[str] = []

    class Closable(BaseChannelLayer):
        async def close(self) -> None:
            closed.append("closed")

    register_layers({"closable": Closable(), "not closable": BaseChannelLayer()})
    await close_layers()
    channel_layers.clear()

    assert closed == ["closed"]


WITHOUT_REDIS = """
import sys
sys.modules["redis"] = None
from chanx.fast_channels.layers import close_layers, memory_layer, queue_layer
memory_layer()
try:
    queue_layer("redis://127.0.0.1/0")
except ImportError as error:
    assert 'pip install "chanx-fastchannels[redis]"' in str(error), error
else:
    raise AssertionError("imported")
"""


def test_the_extra_is_named() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_REDIS], check=True)
