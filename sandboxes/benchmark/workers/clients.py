"""Prints what a generated Python client costs, as JSON.

Arguments: `request`, the port of a server that echoes and the seconds to measure; or `write`, and `shared` or `own`
messages of the channels.
"""

import asyncio
import importlib
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

from consumers import application_of, echo_consumer
from driver import Options
from frames import frames
from messages import message_types, models_of_classes
from pydantic import BaseModel
from websockets.asyncio.client import connect

from chanx.asyncapi import ConsumerRoute, DocumentOptions, generate_document
from chanx.asyncapi._client.python.emitter import python_files
from chanx.asyncapi._client.reading import read_client
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage

__all__: list[str] = []

CHANNELS = 100
TURNS = 9
BATCH = 320
# Without compression and pings, which would cost the same on both sides.
PLAIN: dict[str, Any] = {"compression": None, "ping_interval": None}
PAYLOADS: list[dict[str, Any]] = [json.loads(text)["payload"] for text in frames()]


class Message(BaseModel):
    """What the messages by hand have in common."""

    ref: str | None = None


MESSAGES = message_types(Message)


def main() -> None:
    """Measure once."""
    what, *arguments = sys.argv[1:]
    found = asyncio.run(requests(*arguments)) if what == "request" else writing(*arguments)
    sys.stdout.write(json.dumps(found))


def route(path: str) -> ConsumerRoute:
    """Return the application that the server of this benchmark runs, under a path."""
    return ConsumerRoute(
        path, (), application_of(AsyncJsonWebsocketConsumer, Options()).consumer_class
    )


def files_of(document: dict[str, Any]) -> dict[str, str]:
    """Write the client of a document."""
    return python_files(read_client(document))


def writing(messages: str) -> dict[str, float]:
    """Return the seconds of writing the client of many channels, and the ratio to making their document."""
    routes = [route(f"/{number}") for number in range(CHANNELS)]
    if messages == "own":
        routes = [
            ConsumerRoute(
                f"/{number}", (), echo_consumer(AsyncJsonWebsocketConsumer, Options(), types)
            )
            for number, types in enumerate(models_of_classes(BaseMessage, CHANNELS))
        ]
    began = time.process_time()
    document = generate_document(routes, DocumentOptions(title="Echo"))
    exported = time.process_time()
    files_of(document)
    written = time.process_time()
    return {"figure": written - exported, "ratio": (written - exported) / (exported - began)}


async def requests(port: str, seconds: str) -> dict[str, float]:
    """Return the microseconds of one request, and the ratio to one by hand."""
    url = f"ws://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        client_class = imported(Path(folder))
        async with client_class(url, **PLAIN) as client, connect(f"{url}/", **PLAIN) as socket:
            return await paired(generated(client), by_hand(socket), float(seconds))


def imported(folder: Path) -> Any:
    """Write a client and return its class."""
    for name, text in files_of(
        generate_document([route("/")], DocumentOptions(title="Echo"))
    ).items():
        (folder / "echo_client" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "echo_client" / name).write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    return importlib.import_module("echo_client.echo").EchoClient


def generated(client: Any) -> Callable[[], Awaitable[None]]:
    """Return a batch of requests by the methods of the client."""
    methods = [getattr(client, f"item_{number}") for number in range(len(PAYLOADS))]

    async def batch() -> None:
        for call, payload in itertools.islice(
            itertools.cycle(zip(methods, PAYLOADS, strict=True)), BATCH
        ):
            await call(**payload)

    return batch


def by_hand(socket: Any) -> Callable[[], Awaitable[None]]:
    """Return the same with models, a reference and a socket."""
    refs = itertools.count(1)

    async def batch() -> None:
        for kind, payload in itertools.islice(
            itertools.cycle(zip(MESSAGES, PAYLOADS, strict=True)), BATCH
        ):
            ref = str(next(refs))
            message = kind.model_validate({"payload": payload, "ref": ref})
            await socket.send(message.model_dump_json())
            answer = kind.model_validate_json(await socket.recv())
            if answer.ref != ref:
                raise RuntimeError(f"sent {ref}, received {answer}")

    return batch


async def paired(
    batch: Callable[[], Awaitable[None]], other: Callable[[], Awaitable[None]], seconds: float
) -> dict[str, float]:
    """Let two batches take turns, and return microseconds of one call of the first and the ratio."""
    figures: list[float] = []
    ratios: list[float] = []
    await batch()
    await other()
    until = time.perf_counter() + seconds
    while len(figures) < TURNS or time.perf_counter() < until:
        both = (batch, other) if len(figures) % 2 else (other, batch)
        costs = {one: await cost(one) for one in both}
        figures.append(costs[batch])
        ratios.append(costs[batch] / costs[other])
    return {"figure": median(figures), "ratio": median(ratios)}


async def cost(batch: Callable[[], Awaitable[None]]) -> float:
    """Return the microseconds of CPU of one call."""
    began = time.process_time()
    await batch()
    return (time.process_time() - began) / BATCH * 1e6


if __name__ == "__main__":
    main()
