"""The client of the servers: one connection, told what to do line by line, as the driver is."""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

import uvloop
from frames import frames, invalid_frame
from websockets.asyncio.client import ClientConnection, connect

__all__: list[str] = []

WARM_UP = 2_000
PAUSE = 0.005  # seconds between pings


class Client:
    """One connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._websocket: ClientConnection | None = None

    @property
    def websocket(self) -> ClientConnection:
        """The connection, once `open()` has run."""
        assert self._websocket is not None
        return self._websocket

    async def open(self) -> None:
        """Connect. Without compression, which would cost the same everywhere."""
        self._websocket = await connect(
            f"ws://127.0.0.1:{self._port}/", compression=None, ping_interval=None
        )

    async def echo(self, count: int, window: int) -> float:
        """Return the server's microseconds of CPU per message."""
        await self._check()
        texts = itertools.cycle(frames())
        await self._exchange(texts, WARM_UP, window)
        before = await self._cpu()
        await self._exchange(texts, count, window)
        return (await self._cpu() - before) / count * 1e6

    async def _check(self) -> None:
        for text in frames():
            await self.websocket.send(text)
            reply = await self.websocket.recv()
            if json.loads(reply) != json.loads(text):
                raise RuntimeError(f"sent {text}, received {reply!r}")

    async def _exchange(self, texts: Iterator[str], count: int, window: int) -> None:
        room = asyncio.Semaphore(window)
        receiving = asyncio.create_task(self._receive(count, room))
        for text in itertools.islice(texts, count):
            await room.acquire()
            await self.websocket.send(text)
        await receiving

    async def _receive(self, count: int, room: asyncio.Semaphore) -> None:
        for _ in range(count):
            await self.websocket.recv()
            room.release()

    async def flood(self, count: int, seconds: float, *, invalid: bool = False) -> int:
        """Send messages whose handler waits, or large invalid ones, as fast as they are taken; return how many went."""
        text = invalid_frame() if invalid else frames()[0]
        reading = asyncio.create_task(self._read_on()) if invalid else None
        sent = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for _ in range(count):
                    await self.websocket.send(text)
                    sent += 1
        if reading is not None:
            reading.cancel()
        return sent

    async def _read_on(self) -> None:
        while True:
            await self.websocket.recv()

    async def ping(self, seconds: float) -> dict[str, float]:
        """Return how long replies to a single message take, and the server's tasks and memory."""
        delays: list[float] = []
        seen = [await self.usage()]
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            delays += await self._pings(min(end, time.perf_counter() + 1))
            seen.append(await self.usage())
        delays.sort()
        return {
            "p99": delays[int(len(delays) * 0.99)] * 1e3,
            "longest": delays[-1] * 1e3,
            "tasks": max(usage["tasks"] for usage in seen),
            "rss": max(usage["rss"] for usage in seen),
        }

    async def _pings(self, end: float) -> list[float]:
        text = frames()[1]
        delays: list[float] = []
        while not delays or time.perf_counter() < end:
            began = time.perf_counter()
            await self.websocket.send(text)
            await self.websocket.recv()
            delays.append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE)
        return delays

    async def _cpu(self) -> float:
        return (await self.usage())["cpu"]

    async def usage(self) -> dict[str, float]:
        """Ask the server about its process."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        body = answer[answer.index(b"{") : answer.rindex(b"}") + 1]
        return cast("dict[str, float]", json.loads(body))


def main() -> None:
    """Take commands until standard input ends; the first argument is the port."""
    client = Client(int(sys.argv[1]))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            command: dict[str, Any] = json.loads(line)
            result = runner.run(getattr(client, command.pop("do"))(**command))
            sys.stdout.write(f"{json.dumps(result)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
