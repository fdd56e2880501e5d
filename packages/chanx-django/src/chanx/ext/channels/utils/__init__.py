"""The helpers of `chanx.channels.utils`."""

from chanx.core import _guard as _guard
