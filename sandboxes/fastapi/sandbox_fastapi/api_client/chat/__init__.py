# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Basic Chat Consumer using centralized chat layer"""

from .client import ChatClient
from .messages import IncomingMessage, OutgoingMessage

__all__ = ["ChatClient", "IncomingMessage", "OutgoingMessage"]
