"""Drives the application of a peer, in process or as a server; the same file for every peer.

A worker calls `main()`. It then takes one command per line on standard input, as JSON, and answers with one JSON value
per line on standard output. Times are CPU times of the process, all its threads included.
"""

import asyncio
import gc
import itertools
import json
import os
import resource
import socket
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from connection import Application, Connection, Event, Receive, Send
from crowd import Crowd
from frames import frames
from records import configure_logging, plain_calls

__all__ = ["Application", "Options", "main"]

WARM_UP = 1_000
BATCH = 640
SMALL_BATCH = 32


@dataclass(frozen=True)
class Options:
    """What an application is asked for; peers ignore what they have not."""

    log: bool = False
    log_level: int = 20
    camelize: bool = False
    layer: bool = False
    waiting: bool = False
    """The handler of the first message type waits for ever."""
    redis: str = ""
    """URL of the server behind the layer, which is in memory without it."""
    query: str = ""
    """Path of the SQLite file that the handlers ask, by the ORM of Django."""
    max_age: int = 0
    """Seconds for which Django keeps a connection to it."""
    room: str = ""
    """Members of a group instead of an echo: a `shared` one for all, or for each its `own`. The first message type is
    broadcast, the second one becomes an event that each member handles."""


@dataclass(frozen=True)
class Worker:
    """How to make the applications of one peer."""

    options: Options
    application: Callable[[Options], Application]
    classes: Callable[[int], list[Any]] | None
    query: Callable[[], Awaitable[Any]] | None


def main(
    application: Callable[[Options], Application],
    classes: Callable[[int], list[Any]] | None = None,
    query: Callable[[], Awaitable[Any]] | None = None,
) -> None:
    """Take commands until standard input ends.

    `classes` creates that many consumer classes and returns applications of them, or nothing that can be called.
    `query` is what a handler that touches the database does.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - what a peer prints, until the process ends
    worker = Worker(Options(**json.loads(sys.argv[1])), application, classes, query)
    configure_logging(worker.options.log_level)
    for line in sys.stdin:
        command = json.loads(line)
        result = COMMANDS[command.pop("do")](worker, **command)
        answers.write(f"{json.dumps(result)}\n")


# Echo


def echo(worker: Worker, window: int, seconds: float) -> float:
    """Return the microseconds per message, echoed with up to `window` of them under way."""
    return asyncio.run(_echo(worker, window, seconds))


async def _echo(worker: Worker, window: int, seconds: float) -> float:
    texts = frames(camelize=worker.options.camelize)
    connection = Connection(worker.application(worker.options))
    await connection.opened()
    await check(connection, texts)
    endless = itertools.cycle(texts)
    await exchange(connection, endless, WARM_UP, window)
    count = 0
    began = time.process_time()
    while time.process_time() - began < seconds:
        await exchange(connection, endless, BATCH, window)
        count += BATCH
    spent = time.process_time() - began
    await connection.closed()
    return spent / count * 1e6


async def check(connection: Connection, texts: list[str]) -> None:
    """Raise unless each frame comes back as it went."""
    for text in texts:
        await exchange(connection, iter([text]), 1, 1)
        if json.loads(connection.last) != json.loads(text):
            raise RuntimeError(f"sent {text}, received {connection.last}")


async def exchange(connection: Connection, texts: Iterator[str], count: int, window: int) -> None:
    """Send frames, and wait for the reply to each, with up to `window` of them under way."""
    sent = 0
    first = connection.replies
    while (received := connection.replies - first) < count:
        while sent < count and sent - received < window:
            connection.put(next(texts))
            sent += 1
        await connection.changed()


def log(worker: Worker, seconds: float) -> float:
    """Return the microseconds of the two log records of one message, by plain calls."""
    return plain_calls(BATCH, seconds)


def query(worker: Worker, seconds: float) -> dict[str, float]:
    """Return the microseconds per message whose handler asks the database, and those of the same query alone.

    Both take turns in small batches, so that what else the machine does weighs on both.
    """
    return asyncio.run(_query(worker, seconds))


async def _query(worker: Worker, seconds: float) -> dict[str, float]:
    assert worker.query is not None
    texts = frames()
    connection = Connection(worker.application(worker.options))
    await connection.opened()
    await check(connection, texts)
    endless = itertools.cycle(texts)
    spent, count = {"message": 0.0, "query": 0.0}, 0
    while sum(spent.values()) < seconds:
        began = time.process_time()
        await exchange(connection, endless, SMALL_BATCH, 1)
        halfway = time.process_time()
        for _ in range(SMALL_BATCH):
            await worker.query()
        spent["message"] += halfway - began
        spent["query"] += time.process_time() - halfway
        count += SMALL_BATCH
    await connection.closed()
    return {what: time_of / count * 1e6 for what, time_of in spent.items()}


# Connections


def connect(worker: Worker, seconds: float) -> float:
    """Return how many connections are opened and closed in a second of CPU time."""
    return asyncio.run(_connect(worker, seconds))


async def _connect(worker: Worker, seconds: float) -> float:
    application = worker.application(worker.options)
    await _come_and_go(application, 50)
    count = 0
    began = time.process_time()
    while time.process_time() - began < seconds:
        await _come_and_go(application, 20)
        count += 20
    return count / (time.process_time() - began)


async def _come_and_go(application: Application, count: int) -> None:
    for _ in range(count):
        connection = Connection(application)
        await connection.opened()
        await connection.closed()


def idle(worker: Worker, count: int) -> dict[str, float]:
    """Return the bytes and the tasks that one idle connection keeps."""
    return asyncio.run(_idle(worker, count))


async def _idle(worker: Worker, count: int) -> dict[str, float]:
    application = worker.application(worker.options)
    texts = frames(camelize=worker.options.camelize)
    tracemalloc.start()
    first = await _opened(application, 20)
    await check(first[0], texts)
    gc.collect()
    tasks, (size, _) = len(asyncio.all_tasks()), tracemalloc.get_traced_memory()
    more = await _opened(application, count)
    gc.collect()
    result = {
        "bytes": (tracemalloc.get_traced_memory()[0] - size) / count,
        "tasks": (len(asyncio.all_tasks()) - tasks) / count,
    }
    tracemalloc.stop()
    for connection in first + more:
        await connection.closed()
    return result


async def _opened(application: Application, count: int) -> list[Connection]:
    connections = [Connection(application) for _ in range(count)]
    for connection in connections:
        await connection.opened()
    await asyncio.sleep(0.05)
    return connections


# Groups


def broadcast(worker: Worker, count: int, frame: int, seconds: float) -> float:
    """Return the deliveries in a second of CPU time to a group of `count` connections, one broadcast at a time."""
    return asyncio.run(_broadcast(worker, count, frames()[frame], seconds))


async def _broadcast(worker: Worker, count: int, text: str, seconds: float) -> float:
    crowd = Crowd(worker.application(worker.options), count, text)
    await crowd.opened()
    rate = await crowd.rate(seconds)
    await crowd.closed()
    return rate


def scatter(worker: Worker, count: int) -> dict[str, float]:
    """Return how many connections join a group of their own in a second of CPU time, and the bytes one keeps."""
    return asyncio.run(_scatter(worker, count))


async def _scatter(worker: Worker, count: int) -> dict[str, float]:
    application = worker.application(worker.options)
    first = await _members(application, 20)
    gc.collect()
    size, began = rss(), time.process_time()
    connections = await _members(application, count)
    spent = time.process_time() - began
    gc.collect()
    kept = rss() - size
    for connection in (*first, connections[0], connections[-1]):
        await exchange(connection, iter(frames()[:1]), 1, 1)
    return {"rate": count / spent, "bytes": kept / count}


async def _members(application: Application, count: int) -> list[Connection]:
    connections: list[Connection] = []
    for _ in range(count):
        connection = Connection(application)
        while not connection.replies:  # it says so when it has joined
            await connection.changed()
        connections.append(connection)
    return connections


# Classes


def create(worker: Worker, count: int) -> dict[str, float]:
    """Return the seconds to create that many consumer classes, and to take one connection on each."""
    assert worker.classes is not None
    began = time.process_time()
    applications = worker.classes(count)
    created = time.process_time()
    asyncio.run(_use(applications))
    return {"created": created - began, "used": time.process_time() - began}


async def _use(applications: list[Any]) -> None:
    text = frames()[0]
    for application in applications:
        if not callable(application):
            continue
        connection = Connection(cast(Application, application))
        await connection.opened()
        await exchange(connection, iter([text]), 1, 1)
        await connection.closed()


# A server


def serve(worker: Worker) -> None:
    """Serve on a free port of 127.0.0.1, which is the answer to this command, until the process is ended."""
    import uvicorn

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    os.write(1, f"{listener.getsockname()[1]}\n".encode())
    application = with_usage(worker.application(worker.options))
    config = uvicorn.Config(application, loop="uvloop", lifespan="off", log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


def with_usage(application: Application) -> Application:
    """Tell about this process where HTTP asks."""

    async def wrapped(scope: Event, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            return await application(scope, receive, send)
        body = json.dumps(usage()).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return wrapped


def usage() -> dict[str, float]:
    """Return seconds of CPU, bytes of memory and tasks of this process."""
    return {"cpu": time.process_time(), "rss": rss(), "tasks": len(asyncio.all_tasks())}


def rss() -> int:
    """Return the memory of this process in bytes; without /proc the most that it ever had."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return int(pages) * resource.getpagesize()


COMMANDS: dict[str, Callable[..., Any]] = {
    command.__name__: command
    for command in (echo, log, query, connect, idle, broadcast, scatter, create, serve)
}
