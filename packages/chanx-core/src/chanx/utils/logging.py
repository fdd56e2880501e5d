"""The logger of the library."""

from typing import Any

import structlog

from chanx.core import _guard as _guard

__all__ = ["logger"]

# Any: the application decides by its structlog configuration which logger class this is.
logger: Any = structlog.get_logger("chanx")
