"""Messages that the server sends by itself."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from chanx.messages.base import BaseMessage

__all__ = [
    "AuthenticationMessage",
    "AuthenticationPayload",
    "CompleteMessage",
    "ErrorMessage",
    "EventCompleteMessage",
    "GroupCompleteMessage",
    "HeartbeatMessage",
    "PongMessage",
    "ResyncMessage",
]


class PongMessage(BaseMessage):
    """Simple pong message response to ping requests."""

    action: Literal["pong"] = "pong"
    payload: None = None


class ErrorMessage(BaseMessage):
    """Tells the client that a message of its was not handled, and why."""

    action: Literal["error"] = "error"
    # Any: consumers may send errors of their own.
    payload: Any = Field(
        None,
        description="A list of `type`, `loc` and `msg` for an invalid message; the same, with `status` and more where "
        "the application says so, for a rejected one; an object with `detail` otherwise.",
        examples=[
            [{"type": "missing", "loc": ["chat", "payload", "text"], "msg": "Field required"}],
            [{"type": "http_404", "loc": [], "msg": "No such room", "status": 404}],
            {"detail": "Failed to process message for chat"},
        ],
    )


class AuthenticationPayload(BaseModel):
    """Outcome of authenticating a connection, in the terms of HTTP."""

    status_code: int
    status_text: str
    # Any: what an authenticator has to say beyond the status.
    data: Any = None


class AuthenticationMessage(BaseMessage):
    """Tells the client whether its connection was authenticated."""

    action: Literal["authentication"] = "authentication"
    payload: AuthenticationPayload


class CompleteMessage(BaseMessage):
    """Marks the end of handling one client message."""

    action: Literal["complete"] = "complete"
    payload: None = None


class GroupCompleteMessage(BaseMessage):
    """Marks the end of delivering one group message."""

    action: Literal["group_complete"] = "group_complete"
    payload: None = None


class EventCompleteMessage(BaseMessage):
    """Marks the end of handling one channel event."""

    action: Literal["event_complete"] = "event_complete"
    payload: None = None


class ResyncMessage(BaseMessage):
    """Tells the client that messages of its groups may have been lost: what it shows should be asked for anew."""

    action: Literal["resync"] = "resync"
    payload: None = None


class HeartbeatMessage(BaseMessage):
    """Tells the client that the connection is alive: it is sent at a regular interval."""

    action: Literal["heartbeat"] = "heartbeat"
    payload: None = None
