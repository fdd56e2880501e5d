"""What the library logs before and after an application has configured structlog."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from chanx.utils.logging import logger

# One connection whose handler fails, with a secret in a local variable.
PROGRAM = """
import asyncio
from typing import Any

from chanx.core.decorators import ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.incoming import PingMessage

import rich


class Failing(ChanxWebsocketConsumerMixin):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> None:
        password = "hunter" + str(2)
        raise ValueError("refused")


async def main() -> None:
    answered = asyncio.Event()
    events = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": '{"action": "ping"}'}]

    async def receive() -> Any:
        if events:
            return events.pop(0)
        await answered.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(event: Any) -> None:
        if event["type"] == "websocket.send":
            answered.set()

    await Failing()({"type": "websocket", "path": "/", "headers": []}, receive, send)


asyncio.run(main())
"""


@pytest.mark.parametrize("colours", [{}, {"FORCE_COLOR": "1"}, {"NO_COLOR": "1"}], ids=str)
def test_no_default_shows_local_variables(
    colours: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not where rich is installed, whose tracebacks show them."""
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in colours.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30
    )
    logged = done.stdout + done.stderr
    assert done.returncode == 0, logged
    assert "ValueError: refused" in logged
    assert "Failed to process message" in logged
    assert "hunter2" not in logged
    assert ("\x1b[" in logged) is ("FORCE_COLOR" in colours)


@pytest.fixture
def unconfigured() -> Iterator[None]:
    """Begin as a new process does."""
    was_configured, before = structlog.is_configured(), structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    if was_configured:
        structlog.configure(**before)


@pytest.mark.usefixtures("unconfigured")
def test_a_configuration_counts_from_when_it_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    """Before or after the first line, and without one it looks like structlog's own."""
    logger.info("Before", key=1)
    structlog.get_logger("chanx").info("Before", key=1)
    ours, own = capsys.readouterr().out.splitlines()
    assert ours[20:] == own[20:]  # the time may be another

    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    logger.info("After", key=2)
    logger.bind(bound=3).info("After")
    assert capsys.readouterr().out.splitlines() == [
        "key=2 event='After'",
        "bound=3 event='After'",
    ]


@pytest.mark.usefixtures("unconfigured")
def test_logs_can_be_captured(capsys: pytest.CaptureFixture[str]) -> None:
    """As structlog's own helper for tests does, configured or not."""
    with structlog.testing.capture_logs() as logs:
        logger.warning("Caught", key=1)
    assert logs == [{"event": "Caught", "key": 1, "log_level": "warning"}]
    assert capsys.readouterr().out == ""
