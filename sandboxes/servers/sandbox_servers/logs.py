"""Logging of both applications: one line of JSON for each record of the library."""

import json
import logging

__all__ = ["configure_logging"]

# What a LogRecord has of its own; everything else on it is a field.
_OF_RECORDS = {*vars(logging.makeLogRecord({})), "message", "asctime"}


class _JSONFormatter(logging.Formatter):
    """Writes a record as one line, with its fields and its traceback inside."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record."""
        line = {
            "level": record.levelname.lower(),
            "timestamp": f"{self.formatTime(record, '%H:%M:%S')}.{record.msecs:03.0f}",
            "event": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _OF_RECORDS},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=repr)


def configure_logging() -> None:
    """Write records to the standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JSONFormatter())
    logger = logging.getLogger("chanx")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False  # servers have handlers of their own
