"""The keys beside a message, for code that reads or writes frames by hand."""

import asyncio
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from chanx.constants import ENVELOPE_FIELDS, ENVELOPE_VERSION, TOPIC_EVENT_TYPE
from chanx.core._connection.open_connections import serving
from chanx.messages.topic import TopicErrorReason
from chanx.type_defs import JSONObject

__all__ = [
    "TOPIC_EVENT_TYPE",
    "Envelope",
    "TopicErrorReason",
    "current_ref",
    "current_seq",
    "strip_envelope",
]

T = TypeVar("T")


class Envelope(BaseModel):
    """What travels beside a message: `Envelope.model_validate(frame)` reads it and ignores the message."""

    version: int = ENVELOPE_VERSION
    topic: str | None = None
    ref: str | None = None
    seq: int | None = None


def strip_envelope(content: JSONObject) -> JSONObject:
    """Return a frame without the keys of the envelope."""
    return {key: value for key, value in content.items() if key not in ENVELOPE_FIELDS}


class _Current(Generic[T]):
    """A value of the message that the current task handles; it reads like a context variable."""

    def __init__(self, name: str, attribute: str) -> None:
        self.name = name
        self._attribute = attribute

    def get(self, default: T | None = None) -> T | None:
        """Return the value, or the default where there is none. Looks through the connections of the process."""
        # Any: each value has a type of its own.
        value: Any = None
        try:
            task = asyncio.current_task()
        except RuntimeError:  # no event loop runs here
            return default
        for connection in serving():
            exchange = connection.exchange_of(task)
            if exchange is not None:
                value = getattr(exchange, self._attribute)
                break
        return default if value is None else value


current_ref: _Current[str] = _Current("chanx_current_ref", "ref")
"""The `ref` of the message that is being handled."""
current_seq: _Current[int] = _Current("chanx_current_seq", "offset")
"""The `seq` with which the topic event that is being handled was broadcast."""
