"""The configurations of the page about logging write what it says, and no local variables."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "logging.md").read_text(encoding="utf-8")
EXAMPLES = "\n".join(
    token.content
    for token in MarkdownIt("commonmark").parse(PAGE)
    if token.type == "fence" and token.info == "python"
)
# The page, a configuration of it, and its consumer: it logs by a logger of its own, and fails.
PROGRAM = """
import asyncio
import logging.config

{page}

{configure}


class Failing(FailingConsumer):
    log_websocket_message = True

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> None:
        password = "hunter" + str(2)
        {log}
        raise ValueError("refused")


async def main() -> None:
    async with WebsocketCommunicator(Failing.as_asgi(), "/ws", consumer=Failing) as ws:
        await ws.send_message(PingMessage())
        await ws.receive_json_from()


asyncio.run(main())
"""
STANDARD = ("logging.config.dictConfig(LOGGING)", 'logging.getLogger("shop").warning("Sold")')
STRUCTLOG = ("configure_structlog()", 'structlog.get_logger("shop").warning("Sold")')
SANDBOX = """
import sys
sys.path.insert(0, "sandboxes/servers")
from sandbox_servers.logs import configure_logging
configure_logging()
"""
FIELDS = {"consumer": "Failing", "action": "ping", "path": "/ws"}


def lines_of(configure: str, log: str) -> list[dict[str, Any]]:
    """Return what the program logs under a configuration."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(page=EXAMPLES, configure=configure, log=log)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def check_failure(lines: list[dict[str, Any]], text: str, traceback: str) -> str:
    """Find the record of the failure, and return the id of its connection."""
    (failure,) = [line for line in lines if line[text].startswith("Failed to process message")]
    assert failure[traceback].startswith("Traceback (most recent call last)")
    assert failure[traceback].endswith("ValueError: refused")
    assert {name: failure[name] for name in FIELDS} == FIELDS
    return cast(str, failure["connection_id"])


@pytest.mark.parametrize(
    ("configuration", "text", "traceback"),
    [(STANDARD, "message", "exc_info"), (STRUCTLOG, "event", "exception")],
    ids=["standard library", "structlog"],
)
def test_configuration_names_the_connection(
    configuration: tuple[str, str], text: str, traceback: str
) -> None:
    lines = lines_of(*configuration)
    connection = check_failure(lines, text, traceback)
    (own,) = [line for line in lines if line[text] == "Sold"]
    assert {name: own[name] for name in FIELDS} == FIELDS
    received = lines[0]
    assert received[text] == "Websocket received"
    assert own["message_id"] == received["message_id"] == f"{connection}-1"


def test_configuration_of_the_sandbox() -> None:
    check_failure(lines_of(SANDBOX, "pass"), "event", "exception")


async def test_example_of_a_test(caplog: pytest.LogCaptureFixture) -> None:
    page: dict[str, Any] = {}
    exec(compile(EXAMPLES, "logging.md", "exec"), page)
    test = cast(
        "Callable[[pytest.LogCaptureFixture], Awaitable[None]]", page["test_failure_is_logged"]
    )
    await test(caplog)


def test_table_of_fields() -> None:
    from chanx.core._telemetry.log_context import current_fields

    section = PAGE[PAGE.index("## Fields") : PAGE.index("## Configuration")]
    assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == [*current_fields()]
