"""Deploy the sandbox on this machine as compose.yaml does in containers, and use it over real sockets.

    python deploy/rehearsal.py ENVIRONMENT VALKEY_SERVER

The commands are those of the Dockerfile and of compose.yaml: two workers of the application on one port, the job
worker, and a Valkey server that carries what they say to each other. At the end everything is stopped as a container
is, and nothing may be left. ENVIRONMENT is what install.sh made; this program itself runs in it.
"""

import asyncio
import json
import os
import re
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

SANDBOX = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
START, ANSWER, STOP = 30.0, 15.0, 20.0  # seconds
MEMBERS = 12


async def main(environment: Path, valkey: str) -> None:
    """Run the rehearsal; AssertionError or TimeoutError says what went wrong."""
    port, redis_port = free_port(), free_port()
    url = f"http://{HOST}:{port}"
    programs = environment / "bin"
    variables = {
        "REDIS_URL": f"redis://{HOST}:{redis_port}/0",
        "PATH": f"{programs}:/usr/bin:/bin",
        "LOG_WEBSOCKET": "no",
    }
    commands = {
        "Valkey": [valkey, "--bind", HOST, "--port", str(redis_port), "--save", ""],
        "job worker": [str(programs / "arq"), *worker_command()[1:]],
        "application": [str(programs / "uvicorn"), *application_command(port)[1:]],
    }
    started: list[int] = []
    async with AsyncExitStack() as stack:
        for name, command in commands.items():
            process = await stack.enter_async_context(running(name, command, variables))
            if name == "Valkey":
                await until_it_listens(redis_port)
            started.append(process.pid)
        await until_healthy(programs / "python", url, variables)
        started += [child for pid in started for child in descendants(pid)]
        say(f"{len(started)} processes, two of them serving {url}")
        await smoke(url)
    left = [pid for pid in started if is_running(pid)]
    assert not left, f"still running: {left}"
    say("nothing is left")


def application_command(port: int) -> list[str]:
    """Return the command of the Dockerfile, on this machine alone and on another port."""
    text = (SANDBOX / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    command: list[str] = json.loads(re.findall(r"(?m)^CMD (\[.*\])$", text)[-1])
    replaced = {"0.0.0.0": HOST, "8080": str(port)}
    return [replaced.get(word, word) for word in command]


def worker_command() -> list[str]:
    """Return the command of the worker in compose.yaml."""
    text = (SANDBOX / "compose.yaml").read_text(encoding="utf-8")
    command: list[str] = json.loads(re.findall(r'command: (\["arq".*\])', text)[0])
    return command


async def smoke(url: str) -> None:
    """Use what a user would: rooms across both workers, a job, all four layers."""
    sockets = url.replace("http", "ws", 1)
    async with AsyncExitStack() as stack:
        room = [
            await stack.enter_async_context(connect(f"{sockets}/ws/room/lobby", proxy=None))
            for _ in range(MEMBERS)
        ]
        for member in room:
            await joined(member)
        await tell(room[0], "room_chat", {"message": "hello"})
        for member in room:
            assert (await heard(member, "room_notification", kind="chat"))["message"] == "hello"
        say(f"a room of {MEMBERS} hears one message")

        jobs = await stack.enter_async_context(connect(f"{sockets}/ws/background_jobs", proxy=None))
        await tell(jobs, "job", {"type": "translate", "content": "hello"})
        assert "hola" in (await heard(jobs, "job_status", status="result"))["message"]
        say("the worker has done a job")

        for path, action, payload, answer in (
            ("chat", "chat", {"message": "x"}, "chat_notification"),
            ("reliable", "chat", {"message": "x"}, "chat_notification"),
            ("notifications", "publish_notification", {"message": "x"}, "notification"),
            ("analytics", "analytics", {"event": "x"}, "analytics_recorded"),
        ):
            place = [
                await stack.enter_async_context(connect(f"{sockets}/ws/{path}", proxy=None))
                for _ in range(4)
            ]
            for member in place:
                await joined(member)
            await tell(place[0], action, payload)
            for member in place:
                await heard(member, answer)
        say("all four layers carry messages")


async def tell(member: ClientConnection, action: str, payload: object) -> None:
    await member.send(json.dumps({"action": action, "payload": payload}))


async def heard(member: ClientConnection, action: str, **parts: str) -> dict[str, Any]:
    """Return the payload of the next frame with that action and those parts."""
    async with asyncio.timeout(ANSWER):
        while True:
            frame = json.loads(await member.recv())
            payload: Any = frame["payload"]
            if frame["action"] == action and all(payload[key] == parts[key] for key in parts):
                return payload or {}


async def joined(member: ClientConnection) -> None:
    """Wait until a client was let in."""
    await tell(member, "ping", None)
    await heard(member, "pong")


@asynccontextmanager
async def running(
    name: str, command: list[str], variables: dict[str, str]
) -> AsyncGenerator[Process]:
    """Start a program, and stop it as a container is stopped; it has to end in time, and well."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=SANDBOX if name != "Valkey" else tempfile.gettempdir(), env=variables
    )
    try:
        yield process
        assert process.returncode is None, f"{name} has ended with {process.returncode}"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP):
                code = await process.wait()
        except TimeoutError:
            process.kill()
            raise
    assert code in (0, -signal.SIGTERM), f"{name} ended with {code}"


async def until_healthy(python: Path, url: str, variables: dict[str, str]) -> None:
    """Run the image's health check until it is content."""
    async with asyncio.timeout(START):
        while True:
            check = await asyncio.create_subprocess_exec(
                str(python), "-m", "sandbox_fastapi.health", "--url", url,
                cwd=SANDBOX, env=variables, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            if await check.wait() == 0:
                return


async def until_it_listens(port: int) -> None:
    async with asyncio.timeout(START):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and those that they started."""
    try:
        children = [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except OSError:
        return []
    return children + [further for child in children for further in descendants(child)]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def say(sentence: str) -> None:
    print(f"rehearsal: {sentence}", flush=True)


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
