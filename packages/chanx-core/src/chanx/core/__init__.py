"""The engine: consumers, handlers, order and delivery, free of any framework."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chanx.core import _guard as _guard

if TYPE_CHECKING:
    from chanx.core._connection.open_connections import open_connections as open_connections
    from chanx.core.shutdown import drain as drain

__all__ = ["drain", "open_connections"]

_PLACES = {
    "drain": "chanx.core.shutdown",
    "open_connections": "chanx.core._connection.open_connections",
}


def __getattr__(name: str) -> Any:
    # Late, because messages and constants import this package and are imported by the engine.
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
