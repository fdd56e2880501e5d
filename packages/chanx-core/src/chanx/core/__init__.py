"""The engine: consumers, handlers, order and delivery, free of any framework."""

from typing import TYPE_CHECKING, Any

from chanx.core import _guard as _guard

if TYPE_CHECKING:
    from chanx.core._connection import drain as drain
    from chanx.core._connection import open_connections as open_connections

__all__ = ["drain", "open_connections"]


def __getattr__(name: str) -> Any:
    # Late, because messages and constants import this package and are imported by the engine.
    if name in __all__:
        from chanx.core import _connection

        return getattr(_connection, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
