"""Logging what user code raises, and keeping a failing channel layer from filling the log."""

import asyncio
from contextvars import Context

from chanx.core._runtime.tasks import forget_closed_loops
from chanx.core._telemetry.log_limit import LogLimit
from chanx.utils.logging import logger

__all__ = ["log_failure", "mark_layer_failure", "report_layer_failures"]

_MARK = "_chanx_failed_layer"


def mark_layer_failure(error: Exception, layer: object) -> None:
    """Note which channel layer failed: the type of the exception does not say it when it is logged."""
    error.__dict__[_MARK] = layer


def _failed_layer(error: BaseException) -> object | None:
    cause: BaseException | None = error
    while cause is not None:
        if _MARK in cause.__dict__:
            layer: object = cause.__dict__[_MARK]
            return layer
        cause = cause.__cause__
    return None


def log_failure(consumer: object, what: str, error: Exception, **fields: object) -> None:
    """Log an exception with its traceback; of the failures of a channel layer, one of each kind."""
    layer = _failed_layer(error)
    name = type(consumer).__name__
    if layer is not None and not _failures_of(layer).admit(name, what, type(error).__name__):
        return
    logger.error("%s in %s", what, name, exc_info=error, extra=fields)


def report_layer_failures(layer: object) -> None:
    """Log how many failures were not logged: the outage is over, and the next one is logged anew."""
    failures = _failures.get((asyncio.get_running_loop(), layer))
    if failures is not None:
        failures.flush()


class _LayerFailures:
    """The failures of one channel layer on one event loop.

    A kind of them is what failed, of which consumer class, with which exception. One of each kind is let through,
    and the number of the others is logged every 10 s and when the outage is over.
    """

    def __init__(self) -> None:
        self._limits: dict[tuple[str, str, str], LogLimit] = {}

    def admit(self, consumer: str, what: str, kind: str) -> bool:
        """Count a failure, and tell whether to log it."""
        limit = self._limits.get((consumer, what, kind))
        if limit is None:
            # Its report is about many connections, so it has the context of none.
            limit = LogLimit(lambda number: _report(number, consumer, what, kind), Context())
            self._limits[consumer, what, kind] = limit
        return limit.admit()

    def flush(self) -> None:
        """Log the numbers now, and let the next failure of each kind through."""
        for limit in self._limits.values():
            limit.flush()


def _report(number: int, consumer: str, what: str, kind: str) -> None:
    logger.warning(
        "%s in %s: %d more not logged, the channel layer failed with %s",
        what, consumer, number, kind,
        extra={"consumer": consumer, "not_logged": number},
    )  # fmt: skip


_failures: dict[tuple[asyncio.AbstractEventLoop, object], _LayerFailures] = {}


def _failures_of(layer: object) -> _LayerFailures:
    key = asyncio.get_running_loop(), layer
    failures = _failures.get(key)
    if failures is None:
        forget_closed_loops(_failures)
        failures = _failures[key] = _LayerFailures()
    return failures
