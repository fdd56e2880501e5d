"""Both sides, as they are started, and people who connect to them."""

import asyncio
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from sandbox_mixed.__main__ import free_port

__all__ = ["SOCKETS", "Running", "django_alone", "next_frame", "run", "running", "until"]

FOLDER = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "sandbox_mixed"]
TIME_LIMIT = 30.0
DJANGO_ALONE = [sys.executable, "-m", "uvicorn", "sandbox_mixed.django_side:application"]
SOCKETS = {"fastapi": "/ws/news", "django": "/django/ws/news/"}


@dataclass
class Running:
    """A process: of both sides, or of Django alone."""

    process: Process
    port: int
    token: str
    environment: dict[str, str]
    output: str = ""
    sockets: dict[str, str] = field(default_factory=SOCKETS.copy)

    def connect(
        self, side: str, token: str | None = None
    ) -> AbstractAsyncContextManager[ClientConnection]:
        """Open a socket on one side."""
        return connect(
            f"ws://127.0.0.1:{self.port}{self.sockets[side]}",
            additional_headers={"Authorization": f"Token {token or self.token}"},
            proxy=None,
        )

    async def request(self, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """Send a request, and return status and answer."""
        url = f"http://127.0.0.1:{self.port}{path}"
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Token {token}"
        data = None if body is None else json.dumps(body).encode()
        return await asyncio.to_thread(answer_of, urllib.request.Request(url, data, headers))


async def run(*arguments: str, environment: dict[str, str]) -> str:
    """Run a command of the sandbox to its end, and return what it prints."""
    command = [*COMMAND, *arguments]
    return await asyncio.to_thread(
        subprocess.check_output, command, cwd=FOLDER, env=environment, text=True
    )


def answer_of(request: urllib.request.Request) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(request, timeout=TIME_LIMIT) as answer:
            content = answer.read()
            is_json = "json" in (answer.headers["Content-Type"] or "")
            return answer.status, json.loads(content) if is_json and content else content.decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None


def environment_of(folder: Path, layer: str, redis_url: str | None = None) -> dict[str, str]:
    """Return the environment of a process that has its database in a folder."""
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    environment |= {"DATABASE": str(folder / "db.sqlite3"), "LAYER": layer}
    environment |= {"PYTHONUNBUFFERED": "1"}
    return environment if redis_url is None else environment | {"REDIS_URL": redis_url}


@asynccontextmanager
async def running(
    folder: Path, layer: str, redis_url: str | None = None
) -> AsyncGenerator[Running]:
    """Start both sides with one command, and stop them."""
    environment = environment_of(folder, layer, redis_url)
    token = await run("token", "ada", environment=environment)
    async with started(COMMAND, environment) as (process, port):
        site = Running(process, port, token.strip(), environment)
        try:
            yield site
        finally:
            site.output = await ended(process)


@asynccontextmanager
async def django_alone(beside: Running) -> AsyncGenerator[Running]:
    """Start the Django side in a process of its own, on the Redis and the database of another."""
    async with started(DJANGO_ALONE, beside.environment) as (process, port):
        yield Running(
            process, port, beside.token, beside.environment, sockets={"django": "/ws/news/"}
        )


@asynccontextmanager
async def started(
    command: list[str], environment: dict[str, str]
) -> AsyncGenerator[tuple[Process, int]]:
    """Start a server on a free port, and stop it."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *command, "--port", str(port), cwd=FOLDER, env=environment, stdout=PIPE, stderr=STDOUT
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(TIME_LIMIT):
            while b"Uvicorn running on" not in (line := await process.stdout.readline()):
                assert line, "it ended before it was ready"
        yield process, port
    finally:
        await ended(process)


async def ended(process: Process) -> str:
    """Stop a process unless it has ended, and return the rest of its output."""
    assert process.stdout is not None
    if process.returncode is None:
        process.terminate()
    async with asyncio.timeout(TIME_LIMIT):
        output = (await process.stdout.read()).decode()
        await process.wait()
    return output


async def next_frame(ws: ClientConnection) -> Any:
    """Return the next frame."""
    async with asyncio.timeout(TIME_LIMIT):
        return json.loads(await ws.recv())


async def until(ws: ClientConnection, action: str) -> Any:
    """Return the next frame with that action."""
    while (frame := await next_frame(ws))["action"] != action:
        pass
    return frame
