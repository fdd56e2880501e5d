"""The control messages of a channel: to cancel an answer, and to give a stream credit."""

from abc import ABC
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, create_model

from chanx.constants import MAX_REF_LENGTH, MAX_WINDOW
from chanx.core.spec import Control
from chanx.messages.base import BaseMessage
from chanx.type_defs import JSONObject

__all__ = ["CONTROL", "SUMMARIES", "control_message"]

CONTROL = "x-control"
"""The key inside an operation: which control action it is, whatever name the class gives it on the wire."""

SUMMARIES: dict[Control, str] = {
    "cancel": "Cancel the answer to a message",
    "more": "Give a stream more credit",
}

_DESCRIPTIONS: dict[Control, str] = {
    "cancel": "Cancels the answer to the message that was sent under this `ref`.",
    "more": "Gives credit to the stream that answers the message sent under this `ref`.",
}
_CACHED_NAMES = 64

_Ref = Annotated[
    str, Field(max_length=MAX_REF_LENGTH, description="The `ref` of the message that is answered.")
]
_Credit = Annotated[
    int, Field(ge=1, le=MAX_WINDOW, description="How many more items the server may send.")
]


def _leave_payload_out(schema: JSONObject) -> None:
    """A cancel frame has no payload, which each message class must have."""
    del schema["properties"]["payload"]


class _WithoutPayload(BaseMessage, ABC):
    model_config = ConfigDict(json_schema_extra=_leave_payload_out)


# Cached: consumers that use the same name share one type, and so one schema.
@lru_cache(maxsize=_CACHED_NAMES)
def control_message(name: str, control: Control) -> type[BaseMessage]:
    """Return the message type of a control action, under the name that clients send."""
    cancels = control == "cancel"
    title = f"{name.title().replace('_', '')}Control"
    # Any: fields of three types, which create_model() takes as keywords.
    fields: dict[str, Any] = {
        "action": (Literal[name], name),
        "payload": (None, None) if cancels else (_Credit, ...),
        "ref": (_Ref, ...),
    }
    return create_model(
        title,
        __base__=_WithoutPayload if cancels else BaseMessage,
        __doc__=_DESCRIPTIONS[control],
        __module__=__name__,
        **fields,
    )
