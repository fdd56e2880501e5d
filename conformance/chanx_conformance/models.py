"""The messages that several subjects use."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from chanx.messages.base import BaseMessage
from chanx.type_defs import JSONObject

__all__ = [
    "COMPLETE",
    "PONG",
    "ChatMessage",
    "ChatPayload",
    "FailMessage",
    "NewsEvent",
    "SayMessage",
    "WaitMessage",
    "WordMessage",
]

PONG: JSONObject = {"action": "pong", "payload": None}
COMPLETE: JSONObject = {"action": "complete", "payload": None}


class ChatPayload(BaseModel):
    """Text of a user."""

    user_name: str = Field(max_length=20)
    extra_data: dict[str, Any] = {}


class ChatMessage(BaseMessage):
    """A message with fields of several kinds."""

    action: Literal["chat"] = "chat"
    payload: ChatPayload


class SayMessage(BaseMessage):
    """A message that is only a text."""

    action: Literal["say"] = "say"
    payload: str


class WordMessage(BaseMessage):
    """A numbered message."""

    action: Literal["word"] = "word"
    payload: int


class FailMessage(BaseMessage):
    """Asks a handler to fail in one of several ways."""

    action: Literal["fail"] = "fail"
    payload: str


class WaitMessage(BaseMessage):
    """Asks a handler to wait until the test opens the gate."""

    action: Literal["wait"] = "wait"
    payload: int


class NewsEvent(BaseMessage):
    """An event of the server."""

    action: Literal["news"] = "news"
    payload: str
