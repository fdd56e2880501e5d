"""The logger of the library, and what log records carry about connections and messages."""

import logging
from typing import Any

from chanx.core._telemetry.log_context import current_fields

__all__ = ["ContextFilter", "log_fields", "logger"]


class ContextFilter(logging.Filter):
    """Adds the fields of the current connection and message to every record; it lets every record through.

    Put it on a handler, and what your code logs in a consumer carries them too. All fields are set, to None where they
    are not known, so that a format may name them; a value that a record already has stays.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields."""
        own = record.__dict__
        for name, value in current_fields().items():
            own.setdefault(name, value)
        return True


def log_fields() -> dict[str, Any]:
    """Return the fields that are known here, for logging and tracing that LogRecords do not pass through.

    Empty outside of connections.
    """
    return {name: value for name, value in current_fields().items() if value is not None}


# Without a NullHandler: until the application configures logging, Python prints warnings and errors.
logger: logging.Logger = logging.getLogger("chanx")
logger.addFilter(ContextFilter())
