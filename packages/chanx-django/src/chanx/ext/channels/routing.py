"""The route helpers of `chanx.channels.routing`."""

from chanx.channels.routing import (
    include,
    path,
    re_path,
)
from chanx.core import _guard as _guard

__all__ = [
    "include",
    "path",
    "re_path",
]
