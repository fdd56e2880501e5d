"""Messages of the system chat."""

from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

from chanx.messages.base import BaseMessage

__all__ = ["MessagePayload", "SystemEchoMessage", "UserMessage", "UserPayload"]


class UserPayload(BaseModel):
    """What the client says."""

    message: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class UserMessage(BaseMessage):
    """A client says something to the system."""

    action: Literal["user_message"] = "user_message"
    payload: UserPayload


class MessagePayload(BaseModel):
    """What the system says."""

    message: str


class SystemEchoMessage(BaseMessage):
    """The system says it back."""

    action: Literal["system_echo"] = "system_echo"
    payload: MessagePayload
