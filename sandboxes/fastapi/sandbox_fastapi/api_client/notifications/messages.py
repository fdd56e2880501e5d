# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Messages of notifications."""

from typing import TypeAlias

from ..shared.messages import (
    CompleteMessage,
    ErrorMessage,
    NotificationMessage,
    NotificationPayloadInput,
    NotificationPayloadOutput,
    PingMessage,
    PongMessage,
    PublishNotificationMessage,
    ResyncMessage,
    SystemNoticeMessage,
)

IncomingMessage: TypeAlias = PongMessage | ErrorMessage | CompleteMessage | NotificationMessage | SystemNoticeMessage | ResyncMessage
"""What the server sends."""
OutgoingMessage: TypeAlias = PingMessage | PublishNotificationMessage
"""What clients send."""

__all__ = ["CompleteMessage", "ErrorMessage", "IncomingMessage", "NotificationMessage", "NotificationPayloadInput", "NotificationPayloadOutput", "OutgoingMessage", "PingMessage", "PongMessage", "PublishNotificationMessage", "ResyncMessage", "SystemNoticeMessage"]
