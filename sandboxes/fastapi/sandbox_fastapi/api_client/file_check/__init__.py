# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""A long job with streamed progress"""

from .client import FileCheckClient
from .messages import IncomingMessage, OutgoingMessage

__all__ = ["FileCheckClient", "IncomingMessage", "OutgoingMessage"]
