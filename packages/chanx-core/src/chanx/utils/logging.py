"""The logger of the library."""

import os
import sys
from typing import Any

import structlog

from chanx.core import _guard as _guard

__all__ = ["logger"]


def _console_renderer() -> structlog.dev.ConsoleRenderer:
    """Make structlog's default renderer, but with plain tracebacks: those of rich show local variables."""
    force = bool(os.environ.get("FORCE_COLOR"))
    is_terminal = sys.stdout is not None and sys.stdout.isatty()  # pyright: ignore[reportUnnecessaryComparison]
    options: dict[str, Any] = {"colors": False}
    if not os.environ.get("NO_COLOR") and (force or is_terminal):
        options = {"force_colors": force}  # colours where structlog can write them
    return structlog.dev.ConsoleRenderer(
        exception_formatter=structlog.dev.plain_traceback, **options
    )


class _Logger:
    """Logs as the application has configured structlog; until it has, as structlog does, without local variables."""

    def __init__(self, name: str) -> None:
        self._configured = structlog.get_logger(name)
        self._unconfigured = structlog.wrap_logger(
            None,
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.StackInfoRenderer(),
                structlog.dev.set_exc_info,
                structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
                _console_renderer(),
            ],
            logger_factory_args=(name,),
        )

    # Any: the application decides by its structlog configuration which class a bound logger has.
    def bind(self, **values: Any) -> Any:
        """Return a bound logger by the configuration of this moment."""
        lazy = self._configured if structlog.is_configured() else self._unconfigured
        return lazy.bind(**values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.bind(), name)


# Any: the methods are those of a bound logger.
logger: Any = _Logger("chanx")
