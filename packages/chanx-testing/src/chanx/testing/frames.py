"""Frames of a consumer as a client reads them: as messages, under a reference, and in the text of a failure."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from chanx.constants import ENVELOPE_FIELDS, ENVELOPE_VERSION
from chanx.core.codec import Codec, InvalidFrameError, WireFormat, with_ref
from chanx.core.spec import TOPIC_MESSAGES, ConsumerSpec
from chanx.core.topic import Topic
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.testing.socket import text_of
from chanx.type_defs import ASGIEvent

__all__ = [
    "answer",
    "client_codec",
    "declared",
    "decoded",
    "listed",
    "served_topics",
    "spec_of",
    "topic_class_of",
    "topic_in",
    "written",
]

Consumer = type[ChanxWebsocketConsumerMixin[Any]]

# Servers are limited by their settings; a test reads whatever they send.
_MAX_DEPTH = 200
_MAX_LISTED = 10
_MAX_TEXT = 300


def client_codec(consumer: Consumer) -> Codec:
    """Return the consumer's codec the other way round: a client reads what the consumer sends."""
    return _codec_of(consumer, consumer.spec)


def _codec_of(consumer: Consumer, spec: ConsumerSpec) -> Codec:
    # Any: mypy does not see that a class is hashable.
    return _codec(cast(Any, spec), consumer.spec.wire_format)


@lru_cache(maxsize=64)
def _codec(spec: ConsumerSpec, wire: WireFormat) -> Codec:
    outgoing = {*spec.outgoing_messages, *(TOPIC_MESSAGES if spec.topics else ())}
    return Codec(
        tuple(outgoing),
        spec.incoming_messages,
        wire,
        max_depth=_MAX_DEPTH,
        envelope=ENVELOPE_FIELDS,
    )


def written(consumer: Consumer, message: BaseMessage, topic: str | None, ref: str | None) -> str:
    """Write a message as a client would."""
    text = client_codec(consumer).encode(message)
    if topic is None:
        return with_ref(text, ref)
    name = to_json(topic).decode()
    addressed = f'{text[:-1]},"version":{ENVELOPE_VERSION},"topic":{name}}}'
    return with_ref(addressed, ref, ',"ref":')


# Topics


def served_topics(consumer: Consumer) -> tuple[type[Topic[Any]], ...]:
    """Return the topics of a consumer, in the order in which their patterns are tried."""
    return cast("tuple[type[Topic[Any]], ...]", consumer.spec.topics)


def topic_class_of(consumer: Consumer, name: str) -> type[Topic[Any]] | None:
    """Return the class that serves a topic of a consumer; None where none does."""
    for served in served_topics(consumer):
        try:
            if served.parse(name) is not None:
                return served
        except ValueError:
            return None
    return None


def spec_of(consumer: Consumer, topic: str | None) -> ConsumerSpec:
    """Return the declarations of what serves a topic; those of the consumer for None and an unknown topic."""
    kind = None if topic is None else topic_class_of(consumer, topic)
    return consumer.spec if kind is None else kind.spec_for(consumer.spec.integration)


def topic_in(consumer: Consumer, event: ASGIEvent) -> str | None:
    """Return the topic that a frame names."""
    if not consumer.spec.topics or '"topic"' not in (event.get("text") or ""):
        return None
    name: object = from_json(text_of(event)).get("topic")
    return name if isinstance(name, str) else None


# Frames


def decoded(consumer: Consumer, event: ASGIEvent) -> BaseMessage:
    """Read a frame as a message. Raises ValidationError for one that the consumer does not declare."""
    return answer(consumer, event)[0]


def answer(consumer: Consumer, event: ASGIEvent) -> tuple[BaseMessage, str | None]:
    """Read a frame as a message and the reference it answers under. Raises as `decoded()`."""
    text = text_of(event)
    codec = _codec_of(consumer, spec_of(consumer, topic_in(consumer, event)))
    try:
        message, (ref, _) = codec.decode(text)
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
