"""Keys that travel beside a message's own fields."""

import re
from typing import NamedTuple

from chanx.constants import ENVELOPE_VERSION, MAX_REF_LENGTH, MAX_TOPIC_LENGTH, MAX_WINDOW
from chanx.core.codec import WireFormat
from chanx.type_defs import JSONObject

__all__ = ["Envelope", "TopicKey", "with_envelope"]

_PARAMETER = re.compile(r"\{[^{}]*\}")
# Not re.escape(): expressions of JSON Schema are those of ECMAScript, which refuses to escape other characters.
_SYNTAX = re.compile(r"[\\^$.*+?()\[\]{}|/]")
_REF = "Chosen by the client; the answers to its message carry the same."
_ITEM = "With items of a stream, under a `ref`: which item it is, from 1"
_CURSOR = "On the last frame of an event: send it as `since` when subscribing again, to receive what came after."
_REQUEST_REF = "Chosen by the server; the client's answer must carry the same."


class TopicKey(NamedTuple):
    """The key that names a topic of one class."""

    name: str
    pattern: str
    is_default: bool = False
    """Whether frames need not name it."""

    @property
    def expression(self) -> str:
        """What names look like, as a regular expression of JSON Schema."""
        texts = (_SYNTAX.sub(r"\\\g<0>", text) for text in _PARAMETER.split(self.pattern))
        return f"^{'[^:]+'.join(texts)}$"


class Envelope(NamedTuple):
    """What may stand beside a message."""

    ref: bool = False
    is_current: bool = False
    window: bool = False
    """With a message that is answered by a stream."""
    seq: bool = False
    """With an item of a stream, or an event of a topic."""
    is_request: bool = False
    """The server chooses the `ref`, and the client answers under it."""
    topic: TopicKey | None = None
    """With messages of a topic."""
    cursor: bool = False
    """With an event of a topic that has a history."""
    needs_topic: bool = False


def with_envelope(schema: JSONObject, envelope: Envelope, wire: WireFormat) -> JSONObject:
    """Return the schema of a message with its envelope. Fields that the message declares itself stay its own."""
    declared = schema.get("properties", {})
    required = [*schema.get("required", [])]
    if envelope.needs_topic and "topic" not in required:
        required.append("topic")
    key = wire.discriminator_field
    return {
        **schema,
        "properties": {
            **declared,
            **{k: v for k, v in _keys(envelope, wire).items() if k not in declared},
        },
        # A default tells the server's code what to write; clients are routed by what they write.
        "required": required if key in required or key not in declared else [key, *required],
    }


def _keys(envelope: Envelope, wire: WireFormat) -> JSONObject:
    keys: JSONObject = {}
    if envelope.topic is not None:
        keys["topic"] = {
            "type": "string",
            "maxLength": MAX_TOPIC_LENGTH,
            "pattern": envelope.topic.expression,
            "description": f"The name of the topic: {envelope.topic.pattern}",
        }
    if envelope.ref:
        keys["ref"] = {
            "type": "string",
            "maxLength": MAX_REF_LENGTH,
            "description": _REQUEST_REF if envelope.is_request else _REF,
        }
        keys["version"] = {"type": "integer", "const": ENVELOPE_VERSION}
    if envelope.window:
        keys["window"] = {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_WINDOW,
            "description": "How many items of the stream the server may send before it is given more credit.",
        }
    if envelope.seq:
        keys["seq"] = _seq(envelope)
    if envelope.cursor:
        keys["cursor"] = {"type": "string", "description": _CURSOR}
    if envelope.is_current:
        keys[wire.spell("is_current")] = {
            "type": "boolean",
            "description": "With messages of a group: whether this connection is the sender.",
        }
    return keys


def _seq(envelope: Envelope) -> JSONObject:
    if envelope.topic is None:
        return {"type": "integer", "minimum": 1, "description": f"{_ITEM}."}
    return {"type": "integer", "description": f"{_ITEM}; with events of the topic: their offset."}
