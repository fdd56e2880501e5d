"""What is said on the WebSocket of the board."""

from typing import Literal

from pydantic import BaseModel

from chanx.messages.base import BaseMessage

__all__ = [
    "CastVote",
    "CastVotePayload",
    "ReplyPosted",
    "ReplyPostedPayload",
    "ScoreChanged",
    "ScorePayload",
    "TopicPosted",
    "TopicPostedPayload",
]


class TopicPostedPayload(BaseModel):
    """The topic, as the list shows it."""

    id: int
    title: str
    author: str


class TopicPosted(BaseMessage):
    """There is a new topic."""

    action: Literal["topic_posted"] = "topic_posted"
    payload: TopicPostedPayload


class ReplyPostedPayload(BaseModel):
    """The reply, and how many there are now."""

    topic_id: int
    id: int
    author: str
    text: str
    replies_count: int


class ReplyPosted(BaseMessage):
    """Somebody replied."""

    action: Literal["reply_posted"] = "reply_posted"
    payload: ReplyPostedPayload


class CastVotePayload(BaseModel):
    """Up, down, or neither any more."""

    topic_id: int
    value: Literal[-1, 0, 1]


class CastVote(BaseMessage):
    """Somebody votes."""

    action: Literal["vote"] = "vote"
    payload: CastVotePayload


class ScorePayload(BaseModel):
    """What the votes add up to."""

    topic_id: int
    score: int


class ScoreChanged(BaseMessage):
    """Votes were cast."""

    action: Literal["score"] = "score"
    payload: ScorePayload
