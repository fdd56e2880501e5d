# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Messages of background_jobs."""

from typing import TypeAlias

from ..shared.messages import (
    CompleteMessage,
    ErrorMessage,
    JobMessage,
    JobPayload,
    JobStatus,
    JobStatusMessage,
    PingMessage,
    PongMessage,
    ResyncMessage,
)

IncomingMessage: TypeAlias = JobStatusMessage | ErrorMessage | CompleteMessage | PongMessage | ResyncMessage
"""What the server sends."""
OutgoingMessage: TypeAlias = JobMessage | PingMessage
"""What clients send."""

__all__ = ["CompleteMessage", "ErrorMessage", "IncomingMessage", "JobMessage", "JobPayload", "JobStatus", "JobStatusMessage", "OutgoingMessage", "PingMessage", "PongMessage", "ResyncMessage"]
