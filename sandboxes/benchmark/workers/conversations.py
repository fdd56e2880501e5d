"""Prints what a `ref`, an item of a stream and a topic cost, beside the same without, as JSON.

Arguments: the framework, `fast-channels` or `channels`, and the seconds for each measure.
"""

import asyncio
import gc
import json
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from statistics import median
from typing import Any

from connection import Application, Connection
from driver import exchange
from frames import frames
from messages import message_types

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.topic import Topic
from chanx.messages.base import BaseMessage

__all__: list[str] = []

TURNS = 9
BATCH = 640
MEMBERS = 1_000
NAME = "room:5"
MESSAGES = message_types(BaseMessage)
EVENT: Any = MESSAGES[1]
PLAIN = frames()

Measure = Callable[[], Awaitable[float]]


class Handlers:
    """Send every message back; of the first, as many as a batch has."""

    @event_handler(input_type=EVENT, output_type=EVENT)
    async def hear(self, event: Any) -> Any:
        """Send it to the client."""
        return event


def echo(number: int) -> Any:
    """Make a handler that sends a message back."""

    async def handle(self: Any, message: Any) -> Any:
        return message

    handle.__name__ = f"handle_{number}"
    return ws_handler(input_type=MESSAGES[number], output_type=MESSAGES[number])(handle)


@ws_handler(input_type=MESSAGES[0], output_type=MESSAGES[0])
async def stream(self: Any, message: Any) -> AsyncIterator[Any]:
    """Send a message back again and again."""
    for _ in range(BATCH):
        yield message


for number in range(len(MESSAGES)):
    setattr(Handlers, f"handle_{number}", echo(number))


class Room(Handlers, Topic[Any]):
    """The same as a topic."""

    pattern = "room:{number}"


def classes_on(base: Any) -> tuple[Any, Any, Any]:
    """Make a plain consumer, one with topics, and one that streams."""
    options = {"log_websocket_message": False, "send_completion": False}
    plain = type("PlainConsumer", (Handlers, base), {**options, "groups": ["room"]})
    hub = type("HubConsumer", (base,), {**options, "topics": [Room]})
    streaming = type("StreamConsumer", (base,), {**options, "handle_0": stream})
    return plain, hub, streaming


def main() -> None:
    """Measure everything once."""
    framework, seconds = sys.argv[1], float(sys.argv[2])
    base = {"fast-channels": fast_channels, "channels": channels}[framework]()
    sys.stdout.write(json.dumps(asyncio.run(measured(framework, base, seconds))))


def fast_channels() -> Any:
    """Return the consumer base class, with a layer."""
    from fast_channels.layers import InMemoryChannelLayer, register_channel_layer

    from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer

    register_channel_layer("default", InMemoryChannelLayer())
    return AsyncJsonWebsocketConsumer


def channels() -> Any:
    """Return the consumer base class, with a layer."""
    import django_settings  # only where Django is

    django_settings.use({"layer": True})
    from chanx.channels.websocket import AsyncJsonWebsocketConsumer

    return AsyncJsonWebsocketConsumer


async def measured(framework: str, base: Any, seconds: float) -> dict[str, Any]:
    """Return microseconds and ratios by name."""
    plain, hub, streaming = classes_on(base)
    found: dict[str, Any] = {}
    ends: list[Connection] = []

    async def opened(consumer: Application, *first: str) -> Connection:
        connection = Connection(consumer)
        await connection.opened()
        for text in first:
            await exchange(connection, iter([text]), 1, 1)
        ends.append(connection)
        return connection

    subscribe = json.dumps({"action": "subscribe", "topic": NAME})
    on_plain, on_hub = await opened(plain.as_asgi()), await opened(hub.as_asgi(), subscribe)
    with_ref, of_topic = with_keys(ref="17"), with_keys(topic=NAME)
    for mode, window in (("one at a time", 1), ("64 under way", 64)):
        base_cost = echoes(on_plain, PLAIN, window)
        found[f"{mode}: echo with a ref"] = await paired(
            echoes(on_plain, with_ref, window), base_cost, seconds
        )
        found[f"{mode}: frame to a topic"] = await paired(
            echoes(on_hub, of_topic, window), base_cost, seconds
        )
    items = await opened(streaming.as_asgi())
    loop = await opened(by_hand(framework))
    found["item of a stream"] = await paired(streamed(items), streamed(loop), seconds)
    for connection in ends:
        await connection.closed()
    found["subscription"] = await subscription_bytes(hub)
    found["delivery to 1,000 members of a topic"] = await deliveries(plain, hub, seconds)
    return found


def with_keys(**keys: str) -> list[str]:
    """Return the frames with keys beside the message."""
    return [json.dumps({**json.loads(text), **keys}, separators=(",", ":")) for text in PLAIN]


async def paired(measure: Measure, to: Measure, seconds: float) -> dict[str, float]:
    """Let two measures take turns, and return the figure of the first and the ratio."""
    figures: list[float] = []
    ratios: list[float] = []
    await measure()
    await to()
    until = time.perf_counter() + seconds
    while len(figures) < TURNS or time.perf_counter() < until:
        if len(figures) % 2:
            figure, other = await measure(), await to()
        else:
            other, figure = await to(), await measure()
        figures.append(figure)
        ratios.append(figure / other)
    return {"figure": median(figures), "ratio": median(ratios)}


def echoes(connection: Connection, texts: list[str], window: int) -> Measure:
    """Measure the microseconds of one message that comes back."""

    async def measure() -> float:
        endless = iter(texts * (BATCH // len(texts)))
        began = time.process_time()
        await exchange(connection, endless, BATCH, window)
        return (time.process_time() - began) / BATCH * 1e6

    return measure


def streamed(connection: Connection) -> Measure:
    """Measure the microseconds of one item."""

    async def measure() -> float:
        last = connection.replies + BATCH
        began = time.process_time()
        connection.put(PLAIN[0])
        while connection.replies < last:
            await connection.changed()
        return (time.process_time() - began) / BATCH * 1e6

    return measure


def by_hand(framework: str) -> Application:
    """Make an application that does the same as the stream by hand, with what the framework has to send."""
    return {"fast-channels": on_starlette, "channels": on_channels}[framework]()


def on_starlette() -> Application:
    """Make one on Starlette."""
    from starlette.websockets import WebSocket, WebSocketDisconnect

    # Any: Starlette and this driver annotate what a server gives in different ways.
    async def looping(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        try:
            while True:
                message = MESSAGES[0].model_validate_json(await websocket.receive_text())
                async for item in again(message):
                    await websocket.send_text(item.model_dump_json())
        except WebSocketDisconnect:
            return

    return looping


def on_channels() -> Application:
    """Make one on Django Channels."""
    from channels.generic.websocket import AsyncWebsocketConsumer

    class Looping(AsyncWebsocketConsumer):  # type: ignore[misc]
        """Sends each item."""

        async def receive(self, text_data: Any = None, bytes_data: Any = None) -> None:
            message = MESSAGES[0].model_validate_json(text_data)
            async for item in again(message):
                await self.send(text_data=item.model_dump_json())

    made: Application = Looping.as_asgi()
    return made


async def again(message: Any) -> AsyncIterator[Any]:
    """Yield a message as often as the stream does."""
    for _ in range(BATCH):
        yield message


async def subscription_bytes(hub: Any) -> dict[str, float]:
    """Return the bytes of a subscription: of 100 connections with 100 topics, behind 20 that have them already."""
    names = [
        json.dumps({"action": "subscribe", "topic": f"room:{number}"}) for number in range(100)
    ]
    application = hub.as_asgi()
    connections = [Connection(application) for _ in range(120)]
    for connection in connections:
        await connection.opened()
    tracemalloc.start()
    for connection in connections[:20]:
        await exchange(connection, iter(names), len(names), 1)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for connection in connections[20:]:
        await exchange(connection, iter(names), len(names), 1)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    for connection in connections:
        await connection.closed()
    return {"figure": kept / (100 * len(names)) / 1000}


async def deliveries(plain: Any, hub: Any, seconds: float) -> dict[str, float]:
    """Return the microseconds of one delivery, and the ratio to an event of a group."""
    subscribe = json.dumps({"action": "subscribe", "topic": NAME})
    subscribers, members = await crowd(hub, subscribe), await crowd(plain)
    event = EVENT.model_validate_json(PLAIN[1])
    found = await paired(
        delivered(subscribers, lambda: Room.broadcast(NAME, event)),
        delivered(members, lambda: plain.broadcast_event(event)),
        seconds,
    )
    for connection in (*subscribers, *members):
        await connection.closed()
    return found


async def crowd(consumer: Any, *first: str) -> list[Connection]:
    """Open the connections of those who receive."""
    connections = [Connection(consumer.as_asgi()) for _ in range(MEMBERS)]
    for connection in connections:
        await connection.opened()
        for text in first:
            await exchange(connection, iter([text]), 1, 1)
    return connections


def delivered(connections: list[Connection], send: Callable[[], Awaitable[None]]) -> Measure:
    """Measure the microseconds of one delivery to each."""

    async def measure() -> float:
        wanted = [connection.replies + 1 for connection in connections]
        began = time.process_time()
        await send()
        for connection, count in zip(connections, wanted, strict=True):
            while connection.replies < count:
                await connection.changed()
        return (time.process_time() - began) / len(connections) * 1e6

    return measure


if __name__ == "__main__":
    main()
