"""The types of `chanx.fast_channels.type_defs`."""

from chanx.core import _guard as _guard
from chanx.fast_channels.type_defs import (
    AsyncAPIConfig,
)

__all__ = [
    "AsyncAPIConfig",
]
