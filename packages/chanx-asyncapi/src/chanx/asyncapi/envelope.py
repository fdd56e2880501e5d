"""Keys that travel beside a message's own fields."""

from typing import NamedTuple

from chanx.constants import ENVELOPE_VERSION, MAX_REF_LENGTH, MAX_WINDOW
from chanx.core.codec import WireFormat
from chanx.type_defs import JSONObject

__all__ = ["Envelope", "with_envelope"]


_REF = "Chosen by the client; the answers to its message carry the same."
_REQUEST_REF = "Chosen by the server; the client's answer must carry the same."


class Envelope(NamedTuple):
    """What may stand beside a message."""

    ref: bool = False
    is_current: bool = False
    window: bool = False
    """With a message that is answered by a stream."""
    seq: bool = False
    """With an item of a stream."""
    is_request: bool = False
    """The server chooses the `ref`, and the client answers under it."""


def with_envelope(schema: JSONObject, envelope: Envelope, wire: WireFormat) -> JSONObject:
    """Return the schema of a message with its envelope. Fields that the message declares itself stay its own."""
    declared = schema.get("properties", {})
    required = schema.get("required", [])
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
        keys["seq"] = {
            "type": "integer",
            "minimum": 1,
            "description": "With items of a stream, under a `ref`: which item it is, from 1.",
        }
    if envelope.is_current:
        keys[wire.spell("is_current")] = {
            "type": "boolean",
            "description": "With messages of a group: whether this connection is the sender.",
        }
    return keys
