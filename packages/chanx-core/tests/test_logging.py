"""What the library logs before an application has configured logging, and at most how often."""

import asyncio
import logging
import subprocess
import sys
from contextvars import Context

import pytest

from chanx.core._telemetry import log_limit
from chanx.core._telemetry.log_limit import LogLimit
from chanx.utils.logging import ContextFilter, log_fields, logger

TIME_LIMIT = 10.0

# One connection whose handler fails, with a secret in a local variable.
PROGRAM = """
import asyncio
from typing import Any

from chanx.core.decorators import ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.incoming import PingMessage


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


def test_failure_is_printed_without_configuration() -> None:
    """To the standard error, with the traceback, without local variables, and without the log of messages."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("Failed to process message in Failing\nTraceback")
    assert done.stderr.endswith("ValueError: refused\n")
    assert "hunter2" not in done.stderr


def test_logger_is_one_of_the_standard_library() -> None:
    """It has no handler of its own, and leaves its level to the application."""
    assert logger is logging.getLogger("chanx")
    assert logger.handlers == []
    assert logger.level == logging.NOTSET


def test_no_field_outside_of_connections(caplog: pytest.LogCaptureFixture) -> None:
    """Records have all fields, so that formats can name them."""
    logger.warning("Nothing")
    (record,) = caplog.records
    assert vars(record)["consumer"] is None
    assert vars(record)["connection_id"] is None
    assert log_fields() == {}
    assert ContextFilter().filter(logging.makeLogRecord({"user": "own"}))


# The limit of records that could come in any number


async def test_one_record_in_an_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are counted, and their number is told at its end: again and again while they come."""
    monkeypatch.setattr(log_limit, "_INTERVAL", 0.01)
    told: list[int] = []
    is_told = asyncio.Event()

    def tell(number: int) -> None:
        told.append(number)
        if len(told) < 3:
            assert limit.admit() is False  # the report is the record of the interval that begins
        else:
            is_told.set()

    limit = LogLimit(tell, Context())
    assert [limit.admit() for _ in range(4)] == [True, False, False, False]
    async with asyncio.timeout(TIME_LIMIT):
        await is_told.wait()
    assert told == [3, 1, 1]


async def test_flush_tells_at_once_and_begins_anew() -> None:
    """Nothing is told twice, and nothing where nothing was held back."""
    told: list[int] = []
    limit = LogLimit(told.append)
    limit.flush()
    for _ in range(2):
        assert [limit.admit() for _ in range(3)] == [True, False, False]
        limit.flush()
    assert limit.admit() is True
    limit.flush()
    assert told == [2, 2]
