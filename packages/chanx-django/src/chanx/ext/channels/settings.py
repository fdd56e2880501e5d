"""The settings of `chanx.channels.settings`."""

from chanx.channels.settings import (
    chanx_settings,
)

__all__ = [
    "chanx_settings",
]
