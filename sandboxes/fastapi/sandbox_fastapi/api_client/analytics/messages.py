# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Messages of analytics."""

from typing import TypeAlias

from ..shared.messages import (
    AnalyticsMessage,
    AnalyticsPayload,
    AnalyticsRecordedMessage,
    AnalyticsRecordedPayload,
    CompleteMessage,
    ErrorMessage,
    PingMessage,
    PongMessage,
    ResyncMessage,
    SystemNoticeMessage,
)

IncomingMessage: TypeAlias = AnalyticsRecordedMessage | ErrorMessage | CompleteMessage | PongMessage | SystemNoticeMessage | ResyncMessage
"""What the server sends."""
OutgoingMessage: TypeAlias = AnalyticsMessage | PingMessage
"""What clients send."""

__all__ = ["AnalyticsMessage", "AnalyticsPayload", "AnalyticsRecordedMessage", "AnalyticsRecordedPayload", "CompleteMessage", "ErrorMessage", "IncomingMessage", "OutgoingMessage", "PingMessage", "PongMessage", "ResyncMessage", "SystemNoticeMessage"]
