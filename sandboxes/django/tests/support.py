"""What the tests share: programs whose output can be awaited."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

SANDBOX = Path(__file__).resolve().parent.parent
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

    async def ended(self) -> int:
        """Wait for the end of a program that was told to stop."""
        assert self.process.stdout is not None
        async with asyncio.timeout(TIME_LIMIT):
            self.output.append((await self.process.stdout.read()).decode())
            return await self.process.wait()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, unless the program has ended, and wait for its end."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.ended()


@dataclass
class Served:
    """The project under a server, and its addresses."""

    program: Program
    port: int
    environment: dict[str, str]

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
    server: str, folder: Path, environment: Mapping[str, str] | None = None
) -> AsyncGenerator[Served]:
    """Run `manage.py serve` on a free port, with a database in the folder."""
    port = free_port()
    command = (*MANAGE, "serve", "--server", server, "--port", str(port))
    database = {"DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}"}
    whole = {**database, **(environment or {})}
    async with Program.run(*command, environment=whole) as program:
        await program.prints(READY[server])
        yield Served(program, port, whole)


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


async def finished_with(code: str, environment: Mapping[str, str]) -> None:
    """Run some code in the project."""
    run = await finished(*MANAGE, "shell", "--command", code, environment=environment)
    assert run.code == 0, run.err


def clean_environment(added: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without what would configure the sandbox, and with `added`."""
    ours = (
        "ALLOWED_HOSTS",
        "ASSISTANT_PAUSE",
        "CSRF_TRUSTED_ORIGINS",
        "DATABASE_POOL",
        "DATABASE_URL",
        "DEBUG",
        "DJANGO_SETTINGS_MODULE",
        "LOG_WEBSOCKET",
        "REDIS_URL",
        "SECRET_KEY",
        "SECURE_COOKIES",
        "SEND_COMPLETION",
    )
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
