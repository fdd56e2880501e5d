"""One schema for both directions, where what is received is what is sent."""

import re
from typing import Any

from chanx.asyncapi.draft7 import map_schemas
from chanx.asyncapi.shapes import is_object
from chanx.type_defs import JSONObject

__all__ = ["plain_names", "with_plain_names"]

_PREFIX = "#/components/schemas/"
_DIRECTION = re.compile(r"-(Input|Output)(?=\.|$)")


def plain_names(definitions: dict[str, JSONObject]) -> dict[str, str]:
    """Return the plain name `X` of each `X-Input` and `X-Output` that are equal."""
    pairs = _pairs(definitions)
    while True:
        # Two schemas that refer to different schemas differ themselves, so each round may leave fewer.
        names = {name: plain for plain, pair in pairs.items() for name in pair}
        equal = {
            plain: pair
            for plain, pair in pairs.items()
            if _comparable(definitions[pair[0]], names) == _comparable(definitions[pair[1]], names)
        }
        if len(equal) == len(pairs):
            return names
        pairs = equal


def _pairs(definitions: dict[str, JSONObject]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name in definitions:
        plain = _DIRECTION.sub("", name)
        other = _DIRECTION.sub("-Output", name)
        if other != name and other in definitions and plain not in definitions:
            found[plain] = (name, other)
    return found


def with_plain_names(schema: Any, names: dict[str, str]) -> Any:
    """Return a copy of a schema whose references use the plain names."""
    if not is_object(schema):
        return schema
    copy = map_schemas(schema, lambda inner: with_plain_names(inner, names))
    reference = copy.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix(_PREFIX)
        copy["$ref"] = _PREFIX + names.get(name, name)
    return copy


def _comparable(schema: Any, names: dict[str, str]) -> Any:
    """Return a schema that equals another one where both allow the same, in whatever order it is written."""
    if not is_object(schema):
        return schema
    copy = map_schemas(with_plain_names(schema, names), lambda inner: _comparable(inner, {}))
    return {**copy, "required": sorted(copy["required"])} if "required" in copy else copy
