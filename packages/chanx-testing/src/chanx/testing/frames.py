"""Frames of a consumer as a client reads them: as messages, under a reference, and in the text of a failure."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from pydantic import ValidationError

from chanx.core.codec import Codec, InvalidFrameError, WireFormat
from chanx.core.spec import ConsumerSpec
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.testing.socket import text_of
from chanx.type_defs import ASGIEvent

__all__ = ["answer", "client_codec", "declared", "decoded", "listed"]

Consumer = type[ChanxWebsocketConsumerMixin[Any]]

# Servers are limited by their settings; a test reads whatever they send.
_MAX_DEPTH = 200
_MAX_LISTED = 10
_MAX_TEXT = 300


def client_codec(consumer: Consumer) -> Codec:
    """Return the consumer's codec the other way round: a client reads what the consumer sends."""
    wire = consumer.spec.wire_format
    # Any: mypy does not see that a generic class is hashable.
    return _codec(cast(Any, consumer), wire)


@lru_cache(maxsize=64)
def _codec(consumer: type[Any], wire: WireFormat) -> Codec:
    spec: ConsumerSpec = consumer.spec
    return Codec(spec.outgoing_messages, spec.incoming_messages, wire, max_depth=_MAX_DEPTH)


def decoded(consumer: Consumer, event: ASGIEvent) -> BaseMessage:
    """Read a frame as a message. Raises ValidationError for one that the consumer does not declare."""
    return answer(consumer, event)[0]


def answer(consumer: Consumer, event: ASGIEvent) -> tuple[BaseMessage, str | None]:
    """Read a frame as a message and the reference it answers under. Raises as `decoded()`."""
    try:
        message, (ref, _) = client_codec(consumer).decode(text_of(event))
    except InvalidFrameError as error:
        raise error.error from None
    return message, ref


def declared(consumer: Consumer, event: ASGIEvent) -> BaseMessage | None:
    """Read a frame as a message; None for one that the consumer does not declare."""
    try:
        return decoded(consumer, event)
    except ValidationError:
        return None


def listed(events: Iterable[ASGIEvent]) -> str:
    """Name the events that came, in a failure's text."""
    names = [_name(event) for event in events]
    if not names:
        return "nothing came"
    more = [f"and {len(names) - _MAX_LISTED} more"] if len(names) > _MAX_LISTED else []
    return "; ".join([*names[:_MAX_LISTED], *more])


def _name(event: ASGIEvent) -> str:
    if event["type"] == "websocket.close":
        return f"close {event.get('code', 1000)} {event.get('reason') or ''!r}"
    text = event.get("text")
    name = text if isinstance(text, str) else repr(event)
    return name if len(name) <= _MAX_TEXT else f"{name[:_MAX_TEXT]}…"
