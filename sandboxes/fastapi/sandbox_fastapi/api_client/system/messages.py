# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Messages of system."""

from typing import TypeAlias

from ..shared.messages import (
    CompleteMessage,
    ErrorMessage,
    MessagePayload,
    PingMessage,
    PongMessage,
    ResyncMessage,
    SystemEchoMessage,
    UserMessage,
    UserPayload,
)

IncomingMessage: TypeAlias = PongMessage | ErrorMessage | CompleteMessage | SystemEchoMessage | ResyncMessage
"""What the server sends."""
OutgoingMessage: TypeAlias = PingMessage | UserMessage
"""What clients send."""

__all__ = ["CompleteMessage", "ErrorMessage", "IncomingMessage", "MessagePayload", "OutgoingMessage", "PingMessage", "PongMessage", "ResyncMessage", "SystemEchoMessage", "UserMessage", "UserPayload"]
