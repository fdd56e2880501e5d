"""The keys beside a message: which request it belongs to, and how much of an answer the client can take."""

from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import SchemaValidator, core_schema

from chanx.constants import ENVELOPE_VERSION, MAX_REF_LENGTH, MAX_WINDOW
from chanx.core._wire.error_frames import malformed
from chanx.type_defs import JSONObject

__all__ = [
    "KEYS",
    "NO_ENVELOPE",
    "Envelope",
    "checked_envelope",
    "checked_window",
    "last_key",
    "read_envelope",
]

KEYS = frozenset({"ref", "version", "window"})
"""A message that declares a field of such a name keeps the key for itself."""


class Envelope(NamedTuple):
    """What a client wrote beside its message."""

    ref: str | None
    window: int | None


NO_ENVELOPE = Envelope(None, None)

_validate = SchemaValidator(
    core_schema.typed_dict_schema(
        {
            "ref": core_schema.typed_dict_field(
                core_schema.nullable_schema(
                    core_schema.str_schema(strict=True, max_length=MAX_REF_LENGTH)
                ),
                required=False,
            ),
            "version": core_schema.typed_dict_field(
                core_schema.int_schema(strict=True, ge=ENVELOPE_VERSION, le=ENVELOPE_VERSION),
                required=False,
            ),
            "window": core_schema.typed_dict_field(
                core_schema.int_schema(strict=True, ge=1, le=MAX_WINDOW), required=False
            ),
        }
    )
).validate_json


def last_key(text: str) -> tuple[str, str] | None:
    """Return the frame without its `ref`, and the `ref`, where that is the last key: most clients write it there."""
    # In valid JSON, what stands right before the last brace is a key of the outermost object.
    start = text.rfind(',"ref":"')
    ref = text[start + 8 : -2]
    if (
        start < 0
        or not text.endswith('"}')
        or text.find('"ref"') < start
        or '"' in ref
        or "\\" in ref
        or not ref.isprintable()
        or len(ref) > MAX_REF_LENGTH
        or '"version"' in text
        or '"window"' in text
    ):
        return None
    return f"{text[:start]}}}", ref


def read_envelope(text: str) -> Envelope | None:
    """Read the envelope of a frame without parsing the message; None where that cannot be sure."""
    # Which of two keys of one name counts is for the parser to say, and a message may have the names within.
    if text.count('"ref"') > 1 or text.count('"version"') > 1 or text.count('"window"') > 1:
        return None
    try:
        found: dict[str, Any] = _validate(text)
    except ValidationError:
        return None
    return Envelope(found.get("ref"), found.get("window"))


def checked_envelope(content: JSONObject, own: frozenset[str]) -> Envelope:
    """Read the envelope of a parsed frame; `own` are keys that the message itself declares.

    Raises InvalidFrameError.
    """
    ref = None if "ref" in own else _checked_ref(content)
    if "version" not in own:
        _check_version(content, ref)
    window = None
    if "window" in content and "window" not in own:
        window = checked_window(content["window"], ref, "window")
    return Envelope(ref, window)


def checked_window(window: object, ref: str | None, place: str) -> int:
    """Return a number of items that a client can take. Raises InvalidFrameError, under the reference given."""
    if type(window) is int and 1 <= window <= MAX_WINDOW:
        return window
    refused = malformed(
        "invalid_window", f"Input should be an integer from 1 to {MAX_WINDOW}", place
    )
    refused.ref = ref
    raise refused


def _checked_ref(content: JSONObject) -> str | None:
    ref = content.get("ref")
    if ref is None:
        return None
    if not isinstance(ref, str):
        raise malformed("string_type", "Input should be a valid string", "ref")
    if len(ref) > MAX_REF_LENGTH:
        raise malformed(
            "string_too_long", f"String should have at most {MAX_REF_LENGTH} characters", "ref"
        )
    return ref


def _check_version(content: JSONObject, ref: str | None) -> None:
    version = content.get("version", ENVELOPE_VERSION)
    if type(version) is int and version == ENVELOPE_VERSION:
        return
    refused = malformed("literal_error", f"Input should be {ENVELOPE_VERSION}", "version")
    refused.ref = ref
    raise refused
