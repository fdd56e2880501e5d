# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Dynamic room-based messaging"""

from .client import RoomChatClient
from .messages import IncomingMessage, OutgoingMessage

__all__ = ["IncomingMessage", "OutgoingMessage", "RoomChatClient"]
