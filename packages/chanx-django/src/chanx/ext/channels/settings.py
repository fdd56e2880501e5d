"""The settings of `chanx.channels.settings`."""

from chanx.channels.settings import (
    chanx_settings,
)
from chanx.core import _guard as _guard

__all__ = [
    "chanx_settings",
]
