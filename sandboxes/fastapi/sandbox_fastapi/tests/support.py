"""What the tests share: programs whose output can be awaited, and requests without a server."""

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

from starlette.types import ASGIApp, Message, Scope
from websockets.asyncio.client import ClientConnection

SANDBOX = Path(__file__).resolve().parents[2]
ROOT = SANDBOX.parents[1]
START_DEV = SANDBOX / "sandbox_fastapi" / "start_dev.py"
CLIENT = (sys.executable, "-m", "sandbox_fastapi.client")
TIME_LIMIT = 30.0


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
        with signals_of_a_terminal():
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

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

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

    def end_input(self) -> None:
        """Close the program's input."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def ends(self) -> int:
        """Wait for the end of the program and return its exit code; the rest goes to `output`."""
        assert self.process.stdout is not None
        async with asyncio.timeout(TIME_LIMIT):
            self.output.append((await self.process.stdout.read()).decode())
            return await self.process.wait()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, unless the program has ended, and wait for its end."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.ends()


@dataclass
class Demo:
    """The running demo and its addresses."""

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


@dataclass
class Finished:
    """What a program left behind."""

    code: int
    out: str
    err: str


async def finished(
    *command: str,
    typed: str = "",
    cwd: Path = SANDBOX,
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program to its end."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=clean_environment(environment), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(TIME_LIMIT):
        out, err = await process.communicate(typed.encode())
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())


@contextmanager
def signals_of_a_terminal() -> Generator[None]:
    """Start programs that do not ignore SIGINT and SIGHUP.

    `nohup`, and `&` in a script, ignore them, and every program that is started inherits it.
    """
    ignored = [
        number
        for number in (signal.SIGINT, signal.SIGHUP)
        if signal.getsignal(number) is signal.SIG_IGN
    ]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


def clean_environment(added: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without what would configure the sandbox, and with `added`."""
    ours = ("REDIS_URL", "SEND_COMPLETION", "LOG_WEBSOCKET", "PYTHONPATH")
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


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and those that they started."""
    started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    children = [int(child) for child in started]
    return children + [further for child in children for further in descendants(child)]


def command_line(pid: int) -> str:
    """Return the command of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


@contextmanager
def watching(*pids: int) -> Generator[list[int]]:
    """Open a descriptor for each process, which tells of its end even when it is nobody's child."""
    handles = [os.pidfd_open(pid) for pid in pids]
    try:
        yield handles
    finally:
        for handle in handles:
            os.close(handle)


async def process_ends(handle: int) -> None:
    """Wait for the end of a process."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        async with asyncio.timeout(TIME_LIMIT):
            await ended.wait()
    finally:
        loop.remove_reader(handle)


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


@dataclass
class Answer:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


async def get(application: ASGIApp, path: str, *, body: bytes = b"") -> Answer:
    """Request a path of an ASGI application; post the body where there is one."""
    requests: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    events: list[Message] = []

    async def receive() -> Message:
        if not requests:
            await asyncio.Future[None]()  # the client stays and says no more
        return requests.pop()

    async def send(event: Message) -> None:
        events.append(event)

    scope: Scope = {
        "type": "http",
        "method": "POST" if body else "GET",
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"content-type", b"application/json")],
        "scheme": "http",
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 0),
        "http_version": "1.1",
    }
    await application(scope, receive, send)
    start, *parts = events
    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], headers, b"".join(part["body"] for part in parts))
