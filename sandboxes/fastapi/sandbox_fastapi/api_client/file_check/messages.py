# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Messages of file_check."""

from typing import TypeAlias

from ..shared.messages import (
    CheckFilesMessage,
    CheckProgress,
    CheckProgressMessage,
    CheckResult,
    CheckResultMessage,
    CompleteMessage,
    ErrorMessage,
    PingMessage,
    PongMessage,
    ResyncMessage,
)

IncomingMessage: TypeAlias = CheckProgressMessage | CheckResultMessage | ErrorMessage | CompleteMessage | PongMessage | ResyncMessage
"""What the server sends."""
OutgoingMessage: TypeAlias = CheckFilesMessage | PingMessage
"""What clients send."""

__all__ = ["CheckFilesMessage", "CheckProgress", "CheckProgressMessage", "CheckResult", "CheckResultMessage", "CompleteMessage", "ErrorMessage", "IncomingMessage", "OutgoingMessage", "PingMessage", "PongMessage", "ResyncMessage"]
