"""The actions of a message, read from its schema."""

from typing import Any

from chanx.asyncapi.shapes import is_object
from chanx.type_defs import JSONObject

__all__ = ["schema_actions"]


def schema_actions(payload: JSONObject) -> list[str]:
    """Return what the first constant field may be; empty for a schema that has none."""
    required = payload.get("required", ())
    for name, field in payload.get("properties", {}).items():
        if name in required and is_object(field):
            values: list[Any] = [field["const"]] if "const" in field else field.get("enum", [])
            if values and all(isinstance(value, str) for value in values):
                return [str(value) for value in values]
    return []
