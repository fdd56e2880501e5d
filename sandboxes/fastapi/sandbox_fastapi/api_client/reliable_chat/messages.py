# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Messages of reliable_chat."""

from typing import TypeAlias

from ..shared.messages import (
    ChatMessage,
    ChatNotificationMessage,
    ChatPayload,
    CompleteMessage,
    ErrorMessage,
    PingMessage,
    PongMessage,
    ResyncMessage,
    SystemNoticeMessage,
)

IncomingMessage: TypeAlias = ChatNotificationMessage | ErrorMessage | CompleteMessage | PongMessage | SystemNoticeMessage | ResyncMessage
"""What the server sends."""
OutgoingMessage: TypeAlias = ChatMessage | PingMessage
"""What clients send."""

__all__ = ["ChatMessage", "ChatNotificationMessage", "ChatPayload", "CompleteMessage", "ErrorMessage", "IncomingMessage", "OutgoingMessage", "PingMessage", "PongMessage", "ResyncMessage", "SystemNoticeMessage"]
