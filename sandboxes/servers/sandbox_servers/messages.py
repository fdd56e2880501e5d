"""The messages of the consumers."""

from typing import Literal

from pydantic import BaseModel

from chanx.messages.base import BaseMessage

__all__ = [
    "BreakMessage",
    "CountMessage",
    "CountPayload",
    "HoldMessage",
    "NewsEvent",
    "NumberMessage",
    "PartMessage",
    "SayMessage",
    "StreamMessage",
    "StreamPayload",
    "WaitMessage",
    "WhereMessage",
]


class NumberMessage(BaseMessage):
    """A number, which is noted and sent back."""

    action: Literal["number"] = "number"
    payload: int


class WaitMessage(BaseMessage):
    """Asks for an answer after so many seconds, which then says the same."""

    action: Literal["wait"] = "wait"
    payload: float


class HoldMessage(BaseMessage):
    """Asks a handler to wait until its case is released."""

    action: Literal["hold"] = "hold"
    payload: None = None


class BreakMessage(BaseMessage):
    """Asks a handler to raise."""

    action: Literal["break"] = "break"
    payload: None = None


class SayMessage(BaseMessage):
    """Something for everybody in the room."""

    action: Literal["say"] = "say"
    payload: str


class StreamPayload(BaseModel):
    """How long each text is, and how many come a second."""

    size: int
    rate: int


class StreamMessage(BaseMessage):
    """Asks for texts without end."""

    action: Literal["stream"] = "stream"
    payload: StreamPayload


class CountPayload(BaseModel):
    """How many parts to yield, and how long each is; with `holds`, nothing follows them until the case is released."""

    parts: int
    size: int
    holds: bool = False


class CountMessage(BaseMessage):
    """Asks for a stream of parts."""

    action: Literal["count"] = "count"
    payload: CountPayload


class PartMessage(BaseMessage):
    """An item of a stream."""

    action: Literal["part"] = "part"
    payload: str


class WhereMessage(BaseMessage):
    """Asks for the name of the connection's own channel, which is said."""

    action: Literal["where"] = "where"
    payload: None = None


class NewsEvent(BaseMessage):
    """Something that comes from outside of the servers."""

    action: Literal["news"] = "news"
    payload: str
