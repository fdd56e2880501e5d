"""Every documented configuration of structlog writes tracebacks, and no local variables."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("packages/*/README.md"),
    *ROOT.glob("sandboxes/*/README.md"),
    *ROOT.glob("docs/**/*.md"),
]
# A configuration, then a handler that fails with a secret in a local variable.
PROGRAM = """
import asyncio

import rich  # structlog's own tracebacks show local variables where it is installed

{configuration}

from chanx.core.decorators import ws_handler
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.incoming import PingMessage
from chanx.testing import WebsocketCommunicator


class Failing(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> None:
        password = "hunter" + str(2)
        raise ValueError("refused")


async def main() -> None:
    async with WebsocketCommunicator(Failing.as_asgi(), "/ws", consumer=Failing) as ws:
        await ws.send_message(PingMessage())
        await ws.receive_json_from()


asyncio.run(main())
"""
SERVERS = """
import sys
sys.path.insert(0, "sandboxes/servers")
from sandbox_servers.logs import configure_logging
configure_logging()
"""


def configurations() -> dict[str, str]:
    """Return each documented configuration by its page."""
    found = {"sandboxes/servers": SERVERS}
    for page in PAGES:
        for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
            if token.info == "python" and "structlog.configure(" in token.content:
                found[f"{page.relative_to(ROOT)}:{token.map[0]}"] = token.content
    return found


CONFIGURATIONS = configurations()


def test_there_are_some() -> None:
    assert any(name.startswith("docs/how-to/fastapi/deploying.md") for name in CONFIGURATIONS)


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_a_documented_configuration_writes_tracebacks(configuration: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(configuration=configuration)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]
    (failure,) = [line for line in lines if line["event"] == "Failed to process message"]

    assert "Traceback (most recent call last)" in failure["exception"]
    assert "ValueError: refused" in failure["exception"]
    assert "hunter2" not in done.stdout + done.stderr
