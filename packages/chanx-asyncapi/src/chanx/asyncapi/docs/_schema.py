"""Reading the schemas of a document."""

from typing import Any, NamedTuple

from chanx.asyncapi.shapes import is_object
from chanx.type_defs import JSONObject

__all__ = ["Named", "Schemas", "alternatives"]


class Named(NamedTuple):
    """A schema, and the component it came from."""

    schema: JSONObject
    name: str | None


class Schemas:
    """The schema components of one document."""

    def __init__(self, components: JSONObject) -> None:
        self._components = components

    def resolve(self, schema: Any) -> Named:
        """Follow a reference, also one that stands in `allOf` because something is said beside it."""
        if not is_object(schema):
            return Named({}, None)
        name = _component_of(schema)
        if name is not None:
            return Named(self._components.get(name, {}), name)
        parts = schema.get("allOf", [])
        if len(parts) != 1:
            return Named(schema, None)
        whole = self.resolve(parts[0])
        beside = {key: value for key, value in schema.items() if key != "allOf"}
        return Named({**whole.schema, **beside}, whole.name)


def alternatives(schema: JSONObject) -> list[Any]:
    """Return the schemas of which one applies."""
    return schema.get("anyOf") or schema.get("oneOf") or []


def _component_of(schema: JSONObject) -> str | None:
    reference = schema.get("$ref")
    return reference.rpartition("/")[2] if isinstance(reference, str) else None
