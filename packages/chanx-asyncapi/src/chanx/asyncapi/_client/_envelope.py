"""Keys of the envelope, which runtimes read and write: no model of a message has them."""

from collections.abc import Callable
from typing import Any

from chanx.asyncapi.shapes import is_object
from chanx.constants import ENVELOPE_VERSION, MAX_REF_LENGTH, MAX_TOPIC_LENGTH, MAX_WINDOW
from chanx.type_defs import JSONObject

__all__ = ["without_envelope"]


def without_envelope(schema: JSONObject) -> JSONObject:
    """Return the schema of a message without what stands beside it. Fields that the message declares itself stay.

    Whose a key is shows in its schema: the library writes the same for each, and a declared field that is received has
    other limits or is required.
    """
    properties = schema.get("properties")
    if not is_object(properties):
        return schema
    required = schema.get("required", [])
    taken = {
        name
        for name, is_key in _KEYS.items()
        if name in properties
        and is_object(properties[name])
        and is_key(_plain(properties[name]))
        and (name not in required or name == "topic")
    }
    if not taken:
        return schema
    kept: JSONObject = {
        **schema,
        "properties": {name: one for name, one in properties.items() if name not in taken},
    }
    if "required" in schema:
        kept["required"] = [name for name in required if name not in taken]
    return kept


def _plain(schema: JSONObject) -> JSONObject:
    return {keyword: value for keyword, value in schema.items() if keyword != "description"}


def _is_topic(schema: JSONObject) -> bool:
    return "pattern" in schema and schema.get("maxLength") == MAX_TOPIC_LENGTH and len(schema) == 3


# Any: a number or text that a document holds.
_KEYS: dict[str, Callable[[JSONObject], Any]] = {
    "ref": lambda schema: schema == {"type": "string", "maxLength": MAX_REF_LENGTH},
    "version": lambda schema: schema == {"type": "integer", "const": ENVELOPE_VERSION},
    "window": lambda schema: schema == {"type": "integer", "minimum": 1, "maximum": MAX_WINDOW},
    "seq": lambda schema: schema in ({"type": "integer", "minimum": 1}, {"type": "integer"}),
    "topic": _is_topic,
}
