"""The route helpers of `chanx.channels.routing`."""

from chanx.channels.routing import (
    include,
    path,
    re_path,
)

__all__ = [
    "include",
    "path",
    "re_path",
]
