"""What is said on the WebSocket of a room."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from chanx.messages.base import BaseMessage
from chat.models import MAX_NAME_LENGTH, MAX_TEXT_LENGTH

__all__ = [
    "HistoryMessage",
    "HistoryPayload",
    "HistoryRequest",
    "HistoryRequestPayload",
    "MemberChanged",
    "MemberPayload",
    "RenamePayload",
    "RenameRoom",
    "RoomRenamed",
    "RoomRenamedPayload",
    "Said",
    "SaidPayload",
    "SayMessage",
    "SayPayload",
    "TypingMessage",
    "TypingNotice",
    "TypingPayload",
]

Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_LENGTH)
]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME_LENGTH)
]


class SayPayload(BaseModel):
    """Some text, without the space around it."""

    text: Text


class SayMessage(BaseMessage):
    """A member says something."""

    action: Literal["say"] = "say"
    payload: SayPayload


class SaidPayload(BaseModel):
    """What was said, by whom and when."""

    id: int
    author: str
    text: str
    created_at: datetime


class Said(BaseMessage):
    """Something was said in the room, over a socket or by the REST API."""

    action: Literal["said"] = "said"
    payload: SaidPayload


class HistoryRequestPayload(BaseModel):
    """Where to go on: before the message with this number, or at the end."""

    before: int | None = None


class HistoryRequest(BaseMessage):
    """A member asks for what was said before."""

    action: Literal["get_history"] = "get_history"
    payload: HistoryRequestPayload


class HistoryPayload(BaseModel):
    """A page of what was said, oldest first."""

    messages: list[SaidPayload]
    has_more: bool


class HistoryMessage(BaseMessage):
    """What was said before."""

    action: Literal["history"] = "history"
    payload: HistoryPayload


class TypingMessage(BaseMessage):
    """A member is writing."""

    action: Literal["typing"] = "typing"
    payload: None = None


class TypingPayload(BaseModel):
    """Who it is."""

    name: str


class TypingNotice(BaseMessage):
    """Somebody else is writing."""

    action: Literal["is_typing"] = "is_typing"
    payload: TypingPayload


class RenamePayload(BaseModel):
    """The name to be."""

    name: Name


class RenameRoom(BaseMessage):
    """An admin gives the room another name."""

    action: Literal["rename"] = "rename"
    payload: RenamePayload


class RoomRenamedPayload(BaseModel):
    """The name that the room has now."""

    name: str


class RoomRenamed(BaseMessage):
    """The room has another name."""

    action: Literal["renamed"] = "renamed"
    payload: RoomRenamedPayload


class MemberPayload(BaseModel):
    """Whom it is about."""

    user_id: int
    name: str
    role: str | None = Field(description="None for somebody who is not a member any more")


class MemberChanged(BaseMessage):
    """Somebody came into the room, got another role, or is not in it any more."""

    action: Literal["member"] = "member"
    payload: MemberPayload
