"""JSON Schema, as pydantic writes it, as types of TypeScript."""

from collections.abc import Iterable, Mapping
from typing import Any

from chanx.asyncapi._client.typescript._names import (
    Names,
    comment,
    literal,
    pascal_case,
    property_name,
)
from chanx.asyncapi.shapes import is_list, is_object
from chanx.type_defs import JSONObject

__all__ = ["TypeWriter"]

_REFERENCE = "#/components/schemas/"
_SCALARS = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
_ARRAY_KEYS = frozenset({"items", "prefixItems", "minItems", "maxItems", "uniqueItems"})
_OBJECT_KEYS = frozenset({"properties", "additionalProperties", "patternProperties", "required"})


class TypeWriter:
    """Writes types that refer to each other by name."""

    def __init__(self, schemas: Mapping[str, JSONObject], names: Names) -> None:
        self._schemas = schemas
        # Sorted: which of two names that collide is numbered must not depend on the order of a document.
        self.names = {name: names.new(pascal_case(name)) for name in sorted(schemas)}

    def declarations(self) -> str:
        """Declare a type for each schema."""
        return "\n".join(self.declaration(name, self._schemas[name]) for name in self.names)

    def declaration(self, name: str, schema: JSONObject) -> str:
        """Declare one type."""
        identifier = self.names[name]
        said = _described(schema)
        if _is_plain_object(schema):
            return f"{said}export interface {identifier} {self._object(schema)}\n"
        return f"{said}export type {identifier} = {self.type_of(schema)};\n"

    # Any: a schema is an object, true or false.
    def type_of(self, schema: Any, indent: str = "") -> str:
        """Return the type of one schema; `unknown` for what TypeScript cannot say."""
        if not is_object(schema):
            return "never" if schema is False else "unknown"
        parts = list(dict.fromkeys(self._parts(schema, indent)))
        if not parts:
            return "unknown"
        return parts[0] if len(parts) == 1 else " & ".join(map(_in_parentheses, parts))

    def _parts(self, schema: JSONObject, indent: str) -> Iterable[str]:
        """Yield what a value must be, all at once."""
        if "$ref" in schema:
            name = str(schema["$ref"]).removeprefix(_REFERENCE)
            yield self.names.get(name, "unknown")
        if "const" in schema:
            yield _constant(schema["const"])
        elif is_list(schema.get("enum")):
            yield _union(map(_constant, schema["enum"]))
        else:
            yield from self._combined(schema, indent)
            if kinds := _kinds(schema):
                yield _union(self._kind(kind, schema, indent) for kind in kinds)

    def _combined(self, schema: JSONObject, indent: str) -> Iterable[str]:
        for keyword in ("anyOf", "oneOf"):
            if is_list(schema.get(keyword)):
                yield _union(self.type_of(one, indent) for one in schema[keyword])
        for one in schema.get("allOf", ()):
            yield self.type_of(one, indent)

    def _kind(self, kind: str, schema: JSONObject, indent: str) -> str:
        if kind == "array":
            return self._array(schema, indent)
        if kind == "object":
            return self._object(schema, indent)
        return _SCALARS.get(kind, "unknown")

    def _array(self, schema: JSONObject, indent: str) -> str:
        items = schema.get("items", True)
        first = schema.get("prefixItems", items if is_list(items) else None)
        if not is_list(first):
            return f"{_in_parentheses(self.type_of(items, indent))}[]"
        rest = schema.get("additionalItems", True) if is_list(items) else items
        least = schema.get("minItems", 0)
        shown = [
            f"{_in_parentheses(self.type_of(one, indent))}{'' if place < least else '?'}"
            for place, one in enumerate(first)
        ]
        if rest is not False and schema.get("maxItems") != len(first):
            shown.append(f"...{_in_parentheses(self.type_of(rest, indent))}[]")
        return f"[{', '.join(shown)}]"

    def _object(self, schema: JSONObject, indent: str = "") -> str:
        properties: JSONObject = schema.get("properties") or {}
        inner = indent + "  "
        lines = [self._property(name, one, schema, inner) for name, one in properties.items()]
        extra = schema.get("additionalProperties", None if properties else True)
        if extra not in (None, False) or "patternProperties" in schema:
            # An index signature has to fit every property, so beside some it cannot say what it holds.
            value = "unknown" if properties or extra is None else self.type_of(extra, inner)
            lines.append(f"{inner}[key: string]: {value};\n")
        if not lines:
            return "Record<string, never>"
        return "{\n" + "".join(lines) + indent + "}"

    def _property(self, name: str, schema: Any, owner: JSONObject, indent: str) -> str:
        said = _described(schema, indent) if is_object(schema) else ""
        mark = "" if name in owner.get("required", ()) else "?"
        return f"{said}{indent}{property_name(name)}{mark}: {self.type_of(schema, indent)};\n"


def _kinds(schema: JSONObject) -> list[str]:
    """Return the types that a schema names or, without other words, implies."""
    kinds = schema.get("type")
    if kinds is not None:
        return list(map(str, kinds)) if is_list(kinds) else [str(kinds)]
    if "properties" in schema:
        return ["object"]
    if schema.keys() & {"$ref", "anyOf", "oneOf", "allOf"}:
        return []
    implied = {"array": _ARRAY_KEYS, "object": _OBJECT_KEYS}
    return [kind for kind, keys in implied.items() if keys & schema.keys()]


def _is_plain_object(schema: JSONObject) -> bool:
    others = schema.keys() & {"$ref", "anyOf", "oneOf", "allOf", "const", "enum"}
    return schema.get("type") == "object" and bool(schema.get("properties")) and not others


def _described(schema: JSONObject, indent: str = "") -> str:
    text = str(schema.get("description") or "")
    return comment(f"{text}\n@deprecated" if schema.get("deprecated") is True else text, indent)


def _union(types: Iterable[str]) -> str:
    found = list(dict.fromkeys(types))
    if not found:
        return "never"
    return found[0] if len(found) == 1 else " | ".join(map(_in_parentheses, found))


def _in_parentheses(shown: str) -> str:
    return f"({shown})" if " | " in shown or " & " in shown else shown


def _constant(value: Any) -> str:
    if is_list(value):
        return f"[{', '.join(map(_constant, value))}]"
    if is_object(value):
        inner = "; ".join(f"{property_name(key)}: {_constant(one)}" for key, one in value.items())
        return f"{{ {inner} }}" if inner else "Record<string, never>"
    return literal(value)
