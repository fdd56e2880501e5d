"""What is said on the WebSocket of the board."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, StringConstraints

from board.models import MAX_TEXT_LENGTH, Reply
from chanx.messages.base import BaseMessage

__all__ = [
    "CastVote",
    "CastVotePayload",
    "PostReply",
    "PostReplyPayload",
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

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """Describe a reply. Asks the database."""
        payload = ReplyPostedPayload(
            topic_id=reply.topic_id,
            id=reply.pk,
            author=reply.author.get_username(),
            text=reply.text,
            replies_count=reply.topic.replies.count(),
        )
        return cls(payload=payload)


class PostReplyPayload(BaseModel):
    """What somebody has to say."""

    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_LENGTH)
    ]


class PostReply(BaseMessage):
    """Somebody replies to the topic of the board that the frame's topic names."""

    action: Literal["reply"] = "reply"
    payload: PostReplyPayload


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
