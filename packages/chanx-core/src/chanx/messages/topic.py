"""Messages about topics: the requests of clients, and what answers them."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel

from chanx.messages.base import BaseMessage

__all__ = [
    "RecoverMessage",
    "RecoverPayload",
    "RecoveredMessage",
    "RecoveredPayload",
    "SubscribeMessage",
    "SubscribedMessage",
    "TopicError",
    "TopicErrorReason",
    "UnsubscribeMessage",
    "UnsubscribedMessage",
]


class SubscribeMessage(BaseMessage):
    """Asks for a topic, which is named beside the message."""

    action: Literal["subscribe"] = "subscribe"
    payload: None = None


class SubscribedMessage(BaseMessage):
    """Tells the client that it receives from the topic, and may send to it."""

    action: Literal["subscribed"] = "subscribed"
    payload: None = None


class RecoverPayload(BaseModel):
    """Where a client goes on: `since` is the cursor of the last frame that it has."""

    since: str | None = None


class RecoverMessage(BaseMessage):
    """Asks for a topic with a history, and for what was missed of it."""

    action: Literal["subscribe"] = "subscribe"
    payload: RecoverPayload | None = None


class RecoveredPayload(BaseModel):
    """Whether everything after the client's cursor follows, and where it starts.

    Without `recovered`, something was missed or the client is new: it fetches again what it shows.
    """

    recovered: bool
    cursor: str


class RecoveredMessage(BaseMessage):
    """Tells the client that it receives from a topic with a history."""

    action: Literal["subscribed"] = "subscribed"
    payload: RecoveredPayload


class UnsubscribeMessage(BaseMessage):
    """Gives a topic up."""

    action: Literal["unsubscribe"] = "unsubscribe"
    payload: None = None


class UnsubscribedMessage(BaseMessage):
    """Tells the client that nothing more comes from the topic."""

    action: Literal["unsubscribed"] = "unsubscribed"
    payload: None = None


class TopicErrorReason(StrEnum):
    """Why a request about a topic was refused. Applications may refuse with codes of their own."""

    UNKNOWN_TOPIC = "unknown_topic"
    UNAUTHORIZED = "unauthorized"
    NOT_SUBSCRIBED = "not_subscribed"
    INVALID_TOPIC = "invalid_topic"
    TOO_MANY_TOPICS = "too_many_topics"
    UNAVAILABLE = "unavailable"


class TopicError(BaseModel):
    """The payload of the error that answers a request about a topic."""

    reason: str
    detail: str
