# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Messages of room_chat."""

from typing import TypeAlias

from ..shared.messages import (
    CompleteMessage,
    ErrorMessage,
    PingMessage,
    PongMessage,
    ResyncMessage,
    RoomChatMessage,
    RoomMessagePayload,
    RoomNotificationMessage,
    RoomNotificationPayload,
)

IncomingMessage: TypeAlias = PongMessage | ErrorMessage | CompleteMessage | RoomNotificationMessage | ResyncMessage
"""What the server sends."""
OutgoingMessage: TypeAlias = PingMessage | RoomChatMessage
"""What clients send."""

__all__ = ["CompleteMessage", "ErrorMessage", "IncomingMessage", "OutgoingMessage", "PingMessage", "PongMessage", "ResyncMessage", "RoomChatMessage", "RoomMessagePayload", "RoomNotificationMessage", "RoomNotificationPayload"]
