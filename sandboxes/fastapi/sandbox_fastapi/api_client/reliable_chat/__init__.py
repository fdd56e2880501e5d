# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Reliable Chat using queue-based layer"""

from .client import ReliableChatClient
from .messages import IncomingMessage, OutgoingMessage

__all__ = ["IncomingMessage", "OutgoingMessage", "ReliableChatClient"]
