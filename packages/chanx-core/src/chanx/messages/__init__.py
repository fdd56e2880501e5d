"""The base class of every message, and the messages that the library itself sends and receives."""

from chanx.core import _guard as _guard
