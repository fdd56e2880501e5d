"""The actions of a message, read from its schema."""

from typing import Any

from chanx.asyncapi.shapes import is_object
from chanx.type_defs import JSONObject

__all__ = ["action_field", "schema_actions"]


def schema_actions(payload: JSONObject) -> list[str]:
    """Return what the first constant field may be; empty for a schema that has none."""
    name = action_field(payload)
    return [] if name is None else _constants(payload["properties"][name])


def action_field(payload: JSONObject) -> str | None:
    """Return the name of the first constant field, which tells messages apart."""
    required = payload.get("required", ())
    for name, field in payload.get("properties", {}).items():
        if name in required and is_object(field) and _constants(field):
            return str(name)
    return None


def _constants(field: JSONObject) -> list[str]:
    values: list[Any] = [field["const"]] if "const" in field else field.get("enum", [])
    if values and all(isinstance(value, str) for value in values):
        return [str(value) for value in values]
    return []
