"""Fields of messages that have the name of an envelope key, in classes whose clients need that key."""

import warnings
from collections.abc import Collection, Iterator, Mapping
from typing import Literal, NamedTuple

from chanx.core.handlers import HandlerSpec
from chanx.messages.base import BaseMessage

__all__ = ["warn_of_envelope_fields"]

# Beside each message that is answered, and beside each answer.
_REFERENCE = frozenset({"ref", "version"})
# Beside a message that a stream answers, and beside each item of the stream.
_STREAM_REQUEST = _REFERENCE | {"window"}
_STREAM_ITEM = _REFERENCE | {"seq"}
# Beside each message to a topic, and beside each of its own.
_TO_TOPIC = _REFERENCE | {"topic"}
_OF_TOPIC = _TO_TOPIC | {"seq"}

_EFFECTS = {
    "receives": "clients cannot send that key with it",
    "sends": "the key overwrites the field",
}


class _Use(NamedTuple):
    """A message, and the keys that travel beside it."""

    verb: Literal["receives", "sends"]
    message_type: type[BaseMessage]
    keys: frozenset[str]


def warn_of_envelope_fields(
    owner: type,
    handlers: Collection[HandlerSpec],
    requests: Mapping[type[BaseMessage], type[BaseMessage]],
    *,
    is_topic: bool,
    has_topics: bool,
) -> None:
    """Warn of each field that has the name of a key which streams, cancelling, server requests or topics need."""
    found = {
        (use.verb, use.message_type.__name__, key): None  # a dictionary keeps the order
        for use in _uses(handlers, requests, is_topic=is_topic, has_topics=has_topics)
        for key in sorted(use.keys & _written_names(use.message_type))
    }
    for verb, name, key in found:
        warnings.warn(
            f"{owner.__name__} {verb} {name}, which has a field {key!r}. The envelope has a key of that name, so "
            f"{_EFFECTS[verb]}: move the field into the payload, or rename it.",
            stacklevel=1,  # the class statement may be any number of calls away, and the text names the class
        )


def _uses(
    handlers: Collection[HandlerSpec],
    requests: Mapping[type[BaseMessage], type[BaseMessage]],
    *,
    is_topic: bool,
    has_topics: bool,
) -> Iterator[_Use]:
    """Yield the messages beside which keys travel; none for a class that uses none of the features."""
    for handler in handlers if is_topic or has_topics else ():
        yield _Use("receives", handler.input_type, _TO_TOPIC if is_topic else frozenset({"topic"}))
        for output in handler.output_types if is_topic else ():
            yield _Use("sends", output, _OF_TOPIC)
    if any(handler.can_be_cancelled for handler in handlers):
        for handler in handlers:
            received = _STREAM_REQUEST if handler.is_stream else _REFERENCE
            sent = _STREAM_ITEM if handler.is_stream else _REFERENCE
            yield _Use("receives", handler.input_type, received)
            for output in handler.output_types:
                yield _Use("sends", output, sent)
    for question, answer in requests.items():
        yield _Use("sends", question, _REFERENCE)
        yield _Use("receives", answer, _REFERENCE)


def _written_names(message_type: type[BaseMessage]) -> frozenset[str]:
    return frozenset(message_type.model_fields) | frozenset(message_type.model_computed_fields)
