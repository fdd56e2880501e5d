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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from sandbox_mixed.__main__ import free_port

__all__ = ["SOCKETS", "Running", "next_frame", "run", "running", "until"]

FOLDER = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "sandbox_mixed"]
TIME_LIMIT = 30.0
SOCKETS = {"fastapi": "/ws/news", "django": "/django/ws/news/"}


@dataclass
class Running:
    """The process of both sides."""

    process: Process
    port: int
    token: str
    environment: dict[str, str]
    output: str = ""

    def connect(
        self, side: str, token: str | None = None
    ) -> AbstractAsyncContextManager[ClientConnection]:
        """Open a socket on one side."""
        return connect(
            f"ws://127.0.0.1:{self.port}{SOCKETS[side]}",
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


@asynccontextmanager
async def running(folder: Path, layer: str) -> AsyncGenerator[Running]:
    """Start both sides with one command, and stop them."""
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    environment |= {"DATABASE": str(folder / "db.sqlite3"), "LAYER": layer}
    environment |= {"PYTHONUNBUFFERED": "1"}
    token = await run("token", "ada", environment=environment)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--port", str(port), cwd=FOLDER, env=environment, stdout=PIPE, stderr=STDOUT
    )
    site = Running(process, port, token.strip(), environment)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(TIME_LIMIT):
            while b"Uvicorn running on" not in (line := await process.stdout.readline()):
                assert line, "it ended before it was ready"
        yield site
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(TIME_LIMIT):
            site.output = (await process.stdout.read()).decode()
            await process.wait()


async def next_frame(ws: ClientConnection) -> Any:
    """Return the next frame."""
    async with asyncio.timeout(TIME_LIMIT):
        return json.loads(await ws.recv())


async def until(ws: ClientConnection, action: str) -> Any:
    """Return the next frame with that action."""
    while (frame := await next_frame(ws))["action"] != action:
        pass
    return frame
