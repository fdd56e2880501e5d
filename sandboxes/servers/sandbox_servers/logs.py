"""Logging of both applications: one line of JSON for each record of the library."""

import sys

import structlog

__all__ = ["configure_logging"]


def configure_logging() -> None:
    """Write records to the standard error, one line each, with tracebacks inside."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("%H:%M:%S.%f"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=repr),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
