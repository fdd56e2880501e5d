"""Keys that travel beside a message's own fields."""

from typing import NamedTuple

from chanx.constants import ENVELOPE_VERSION, MAX_REF_LENGTH
from chanx.core.codec import WireFormat
from chanx.type_defs import JSONObject

__all__ = ["Envelope", "with_envelope"]


class Envelope(NamedTuple):
    """What may stand beside a message."""

    ref: bool = False
    is_current: bool = False


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
            "description": "Chosen by the client; the answers to its message carry the same.",
        }
        keys["version"] = {"type": "integer", "const": ENVELOPE_VERSION}
    if envelope.is_current:
        keys[wire.spell("is_current")] = {
            "type": "boolean",
            "description": "With messages of a group: whether this connection is the sender.",
        }
    return keys
