"""The types of `chanx.fast_channels.type_defs`."""

from chanx.fast_channels.type_defs import (
    AsyncAPIConfig,
)

__all__ = [
    "AsyncAPIConfig",
]
