"""Logging as a service would configure it: lines of JSON, here to nowhere."""

import json
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TextIO

__all__ = ["configure_logging", "plain_calls"]

# Only chanx 2.13.0 logs with it.
HAS_STRUCTLOG = find_spec("structlog") is not None
# What a LogRecord has of its own; everything else on it is a field.
OF_RECORDS = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})
# What a record of ours carries.
FIELDS = {
    "consumer": "EchoConsumer",
    "path": "/ws",
    "user": None,
    "connection_id": "0123456789abcdef",
    "message_id": "0123456789abcdef-1",
    "action": "item_0",
}
SENT = {**FIELDS, "sent_action": "item_0"}


class JSONFormatter(logging.Formatter):
    """Writes a record with its fields as one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record."""
        line = {
            "event": record.getMessage(),
            "level": record.levelname,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            **{name: value for name, value in vars(record).items() if name not in OF_RECORDS},
        }
        return json.dumps(line)


def configure_logging(level: int) -> None:
    """Configure the standard library, and structlog where it is installed."""
    nowhere = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    handler = logging.StreamHandler(nowhere)
    handler.setFormatter(JSONFormatter())
    logging.basicConfig(level=level, handlers=[handler])
    if HAS_STRUCTLOG:
        configure_structlog(level, nowhere)


def configure_structlog(level: int, nowhere: TextIO) -> None:
    """Configure structlog to write such lines."""
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=nowhere),
        cache_logger_on_first_use=True,
    )


def plain_calls(batch: int, seconds: float) -> float:
    """Return the microseconds of the two records of one message, by plain calls of what the peer logs with."""
    write = structlog_records if HAS_STRUCTLOG else standard_records
    count = 0
    began = time.process_time()
    while time.process_time() - began < seconds:
        write(batch)
        count += batch
    return (time.process_time() - began) / count * 1e6


def standard_records(count: int) -> None:
    """Write the two records of so many messages."""
    info: Callable[..., None] = logging.getLogger("plain").info
    for _ in range(count):
        info("Websocket received", extra=FIELDS)
        info("Websocket sent", extra=SENT)


def structlog_records(count: int) -> None:
    """Write the two records of so many messages."""
    import structlog

    logger = structlog.get_logger("chanx")
    with structlog.contextvars.bound_contextvars(message_id="0123abcd", received_action="item_0"):
        for _ in range(count):
            logger.info("Websocket received")
            logger.info("Websocket sent", sent_action="item_0")
