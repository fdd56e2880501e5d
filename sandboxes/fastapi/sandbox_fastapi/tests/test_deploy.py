"""What a deployment relies on: the health check, and files that agree with each other."""

import asyncio
import json
import re
import signal
import sys

import pytest
import yaml
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from sandbox_fastapi.tests.support import SANDBOX, Demo, Program, finished, free_port

HEALTH = (sys.executable, "-m", "sandbox_fastapi.health", "--url")


async def test_a_healthy_sandbox(demo: Demo) -> None:
    """Silence, and 0."""
    run = await finished(*HEALTH, demo.http)

    assert (run.code, run.out, run.err) == (0, "", "")


async def test_a_sandbox_that_is_not_there() -> None:
    """One line, and 1."""
    run = await finished(*HEALTH, f"http://127.0.0.1:{free_port()}")

    assert run.code == 1
    assert run.err.startswith("health: http://127.0.0.1:")
    assert run.err.count("\n") == 1


async def connected(port: int) -> ClientConnection:
    """Connect as soon as somebody listens: a worker says that it is ready just before it does."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await connect(f"ws://127.0.0.1:{port}/ws", proxy=None)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("workers", "ready"),
    [("1", ["Uvicorn running on"]), ("2", ["Application startup complete"] * 2)],
    ids=["one", "two"],
)
async def test_handlers_answer_before_the_server_stops(workers: str, ready: list[str]) -> None:
    """On SIGTERM, under uvicorn alone and with several workers; then the connection is closed with 1012."""
    port = free_port()
    command = ["uvicorn", "sandbox_fastapi.tests.slow_app:app", "--port", str(port)]
    async with Program.run(sys.executable, "-m", *command, "--workers", workers) as server:
        for line in ready:
            await server.prints(line)
        async with await connected(port) as client:
            await client.send('{"action": "ping"}')
            await server.prints("The handler has begun")
            server.process.terminate()

            assert json.loads(await client.recv())["action"] == "pong"
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
        assert await server.ends() in (0, -signal.SIGTERM)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert "Traceback" not in "".join(server.output)


def test_every_variable_is_documented() -> None:
    """Those that the settings read are in the table, and compose.yaml sets no other."""
    settings = (SANDBOX / "sandbox_fastapi" / "settings.py").read_text(encoding="utf-8")
    table = re.findall(
        r"(?m)^\| `([A-Z_]+)` \|", (SANDBOX / "README.md").read_text(encoding="utf-8")
    )
    compose = yaml.safe_load((SANDBOX / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"].values()
    used = {name for service in services for name in service.get("environment", {})}

    assert set(table) == set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', settings))
    assert used <= set(table)


def test_the_image_is_what_is_said() -> None:
    """It runs as somebody who may do nothing else, two workers, a health check, and installs as the rehearsal does."""
    image = (SANDBOX / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    command = json.loads(re.findall(r"(?m)^CMD (\[.*\])$", image)[-1])

    assert "deploy/install.sh" in image
    assert re.search(r"(?m)^USER (?!root)", image)
    assert "sandbox_fastapi.health" in image
    assert command[command.index("--workers") + 1] == "2"


def test_the_readme_leads_through_the_files() -> None:
    """What it lists is there, in the order in which it is best read."""
    readme = (SANDBOX / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Where things are")[2].partition("##")[0]
    listed = re.findall(r"`((?:sandbox_fastapi|deploy|Dockerfile|compose)[\w./]*)`", section)
    path = [
        "sandbox_fastapi/base_consumer.py",
        "sandbox_fastapi/apps/showcase/",
        "sandbox_fastapi/layers.py",
        "sandbox_fastapi/apps/background_jobs/",
        "sandbox_fastapi/main.py",
        "sandbox_fastapi/start_dev.py",
        "sandbox_fastapi/static/",
    ]

    assert [name for name in listed if not (SANDBOX / name).exists()] == []
    assert [name for name in listed if name in path] == path
