"""The control messages of a channel: to cancel an answer, to give a stream credit, to subscribe and unsubscribe."""

from abc import ABC
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, create_model

from chanx.constants import MAX_REF_LENGTH, MAX_WINDOW
from chanx.core.spec import Control, TopicControl
from chanx.messages.base import BaseMessage
from chanx.messages.topic import (
    RecoveredMessage,
    RecoverPayload,
    SubscribedMessage,
    TopicError,
    UnsubscribedMessage,
)
from chanx.type_defs import JSONObject

__all__ = [
    "CONTROL",
    "SUMMARIES",
    "AnyControl",
    "TopicErrorMessage",
    "confirmation_of",
    "control_message",
]

AnyControl = Control | TopicControl

CONTROL = "x-control"
"""The key inside an operation: which control action it is, whatever name the class gives it on the wire."""

SUMMARIES: dict[AnyControl, str] = {
    "cancel": "Cancel the answer to a message",
    "more": "Give a stream more credit",
    "subscribe": "Subscribe to the topic",
    "unsubscribe": "Give the topic up",
}

_CONFIRMATIONS: dict[AnyControl, type[BaseMessage]] = {
    "subscribe": SubscribedMessage,
    "unsubscribe": UnsubscribedMessage,
}


def confirmation_of(control: AnyControl, *, has_history: bool) -> type[BaseMessage] | None:
    """Return what answers a control action; nothing answers those for streams."""
    if control == "subscribe" and has_history:
        return RecoveredMessage
    return _CONFIRMATIONS.get(control)


_DESCRIPTIONS: dict[AnyControl, str] = {
    "cancel": "Cancels the answer to the message that was sent under this `ref`.",
    "more": "Gives credit to the stream that answers the message sent under this `ref`.",
    "subscribe": "Asks for the topic that it names.",
    "unsubscribe": "Gives the topic up that it names.",
}
# They name the message that they are about; others have a `ref` if the client wants one.
_UNDER_REF = ("cancel", "more")
_CACHED_NAMES = 64

_Ref = Annotated[
    str, Field(max_length=MAX_REF_LENGTH, description="The `ref` of the message that is answered.")
]
_Credit = Annotated[
    int, Field(ge=1, le=MAX_WINDOW, description="How many more items the server may send.")
]


def _leave_payload_out(schema: JSONObject) -> None:
    """Most control frames have no payload, which each message class must have."""
    del schema["properties"]["payload"]


class _WithoutPayload(BaseMessage, ABC):
    model_config = ConfigDict(json_schema_extra=_leave_payload_out)


class TopicErrorMessage(BaseMessage):
    """Refuses a request about a topic."""

    action: Literal["error"] = "error"
    payload: TopicError


# Cached: consumers that use the same name share one type, and so one schema.
@lru_cache(maxsize=_CACHED_NAMES)
def control_message(
    name: str, control: AnyControl, *, has_history: bool = False
) -> type[BaseMessage]:
    """Return the message type of a control action, under the name that clients send."""
    recovers = control == "subscribe" and has_history
    title = f"{name.title().replace('_', '')}{'Since' if recovers else ''}Control"
    payload: tuple[Any, Any] = (None, None)
    if control == "more":
        payload = (_Credit, ...)
    elif recovers:
        payload = (RecoverPayload | None, None)
    # Any: fields of three types, which create_model() takes as keywords.
    fields: dict[str, Any] = {"action": (Literal[name], name), "payload": payload}
    if control in _UNDER_REF:
        fields["ref"] = (_Ref, ...)
    return create_model(
        title,
        __base__=_WithoutPayload if payload == (None, None) else BaseMessage,
        __doc__=_DESCRIPTIONS[control],
        __module__=__name__,
        **fields,
    )
