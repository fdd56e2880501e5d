"""The envelope: keys next to a message that name its request and how many items of an answer the client accepts."""

import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import SchemaValidator, core_schema

from chanx.constants import ENVELOPE_VERSION, MAX_REF_LENGTH, MAX_WINDOW
from chanx.core._wire.error_frames import malformed
from chanx.type_defs import JSONObject

__all__ = [
    "KEYS",
    "NO_ENVELOPE",
    "REPLY_KEYS",
    "Envelope",
    "checked_envelope",
    "checked_window",
    "read_envelope",
]

REPLY_KEYS = frozenset({"ref", "version"})
KEYS = REPLY_KEYS | {"window", "topic"}
"""A message that declares a field of such a name keeps the key for itself."""


Envelope = tuple[str | None, int | None]
"""`ref` and `window`: a plain tuple, because one is made for each frame that has a `ref`."""

NO_ENVELOPE: Envelope = (None, None)

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


# In valid JSON, what stands right before the last brace is a key of the outermost object. Escapes, control characters
# and lone surrogates are left to the parser.
_LAST_KEYS = re.compile(
    rf',"ref":"([^"\\\x00-\x1f\ud800-\udfff]{{0,{MAX_REF_LENGTH}}})"(?:,"window":([1-9][0-9]{{0,2}}))?\}}'
).fullmatch


def read_envelope(text: str, at: int) -> Envelope | None:
    """Read the envelope of a frame without parsing the message. `at` is where `"ref"` is first found, or -1.

    None where that cannot be sure.
    """
    if at > 0 and '"version"' not in text:
        # Most clients write it last; and the first of its name is the last key, so there is no other.
        found = _LAST_KEYS(text, at - 1)
        if found is not None:
            ref, window = found.groups()
            if window is None and '"window"' not in text:
                return ref, None
            if window is not None and text.count('"window"') == 1:
                return ref, int(window)
    return _envelope_within(text)


def _envelope_within(text: str) -> Envelope | None:
    # Which of two keys of one name counts is for the parser to say, and a message may have the names within.
    if text.count('"ref"') > 1 or text.count('"version"') > 1 or text.count('"window"') > 1:
        return None
    try:
        found: dict[str, Any] = _validate(text)
    except ValidationError:
        return None
    return found.get("ref"), found.get("window")


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
    return ref, window


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
