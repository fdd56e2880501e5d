"""The engine: consumers, handlers, order and delivery, free of any framework."""

from typing import TYPE_CHECKING, Any

from chanx.core import _guard as _guard

if TYPE_CHECKING:
    from chanx.core._connection import drain as drain

__all__ = ["drain"]


def __getattr__(name: str) -> Any:
    if name == "drain":
        from chanx.core._connection import drain

        return drain
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
