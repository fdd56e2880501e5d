"""What the tests share: programs whose output can be awaited."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from websockets.asyncio.client import ClientConnection

SANDBOX = Path(__file__).resolve().parent.parent
FASTAPI_SANDBOX = SANDBOX.parent / "fastapi"
MANAGE = (sys.executable, str(SANDBOX / "manage.py"))
TIME_LIMIT = 30.0
# What each server says once it listens.
READY = {"daphne": "Listening on TCP address", "uvicorn": "Uvicorn running on"}


@dataclass
class Program:
    """A running program; `output` is what it has printed as far as it was awaited."""

    process: Process
    output: list[str] = field(default_factory=list[str])

    @classmethod
    @asynccontextmanager
    async def run(
        cls, *command: str, cwd: Path = SANDBOX, environment: Mapping[str, str] | None = None
    ) -> AsyncGenerator[Self]:
        """Start a program; it is stopped at the end if it still runs."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=clean_environment(environment),
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
        )
        program = cls(process)
        try:
            yield program
        finally:
            await program.stop()

    async def prints(self, text: str) -> str:
        """Wait for a line with that text in it and return the line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(TIME_LIMIT):
            while line := (await self.process.stdout.readline()).decode():
                self.output.append(line)
                if text in line:
                    return line.rstrip()
        raise AssertionError(f"{text!r} was never printed, but this was:\n{''.join(self.output)}")

    async def type(self, line: str) -> None:
        """Write a line to the program's input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, unless the program has ended, and wait for its end."""
        assert self.process.stdout is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(TIME_LIMIT):
            self.output.append((await self.process.stdout.read()).decode())
            return await self.process.wait()


@dataclass
class Served:
    """The project under a server, and its addresses."""

    program: Program
    port: int

    @property
    def http(self) -> str:
        """Where its page is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        """Where its WebSockets are."""
        return f"ws://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(
    server: str, environment: Mapping[str, str] | None = None
) -> AsyncGenerator[Served]:
    """Run `manage.py serve` on a free port."""
    port = free_port()
    command = (*MANAGE, "serve", "--server", server, "--port", str(port))
    async with Program.run(*command, environment=environment) as program:
        await program.prints(READY[server])
        yield Served(program, port)


@dataclass
class Finished:
    """What a program left behind."""

    code: int
    out: str
    err: str


async def finished(*command: str, environment: Mapping[str, str] | None = None) -> Finished:
    """Run a program to its end."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=SANDBOX, env=clean_environment(environment), stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(TIME_LIMIT):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())


def clean_environment(added: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without what would configure the sandbox, and with `added`."""
    ours = ("REDIS_URL", "SEND_COMPLETION", "LOG_WEBSOCKET", "DEBUG", "SECRET_KEY", "ALLOWED_HOSTS")
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return {**inherited, "PYTHONUNBUFFERED": "1", **(added or {})}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def taken_port() -> Generator[int]:
    """Listen on a port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def receive_until(client: ClientConnection, action: str) -> list[dict[str, Any]]:
    """Return the frames up to the first one with that action."""
    frames: list[dict[str, Any]] = []
    async with asyncio.timeout(TIME_LIMIT):
        while not frames or frames[-1]["action"] != action:
            frames.append(json.loads(await client.recv()))
    return frames


async def receive_chat(client: ClientConnection) -> dict[str, Any]:
    """Return the next thing that somebody says; who comes and goes does not matter."""
    while True:
        frame = (await receive_until(client, "room_notification"))[-1]
        if frame["payload"]["kind"] == "chat":
            return frame


async def join(client: ClientConnection) -> None:
    """Wait until the server has let the client into its room."""
    await client.send('{"action": "ping"}')
    await receive_until(client, "pong")
