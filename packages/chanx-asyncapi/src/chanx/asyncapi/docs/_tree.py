"""A schema as a tree of fields."""

import json
from typing import Any

from chanx.asyncapi.docs._html import Html, element, joined
from chanx.asyncapi.docs._schema import Schemas, alternatives
from chanx.asyncapi.shapes import is_list, is_object
from chanx.type_defs import JSONObject

__all__ = ["schema_tree"]

_LIMITS = {
    "minLength": "min length",
    "maxLength": "max length",
    "minItems": "min items",
    "maxItems": "max items",
    "minimum": "≥",
    "maximum": "≤",
    "exclusiveMinimum": ">",
    "exclusiveMaximum": "<",
    "multipleOf": "multiple of",
    "pattern": "pattern",
}
_DEEPEST = 6


def schema_tree(schema: Any, schemas: Schemas, open_names: tuple[str, ...] = ()) -> Html | None:
    """Write the fields of a schema, or of the schemas in it; None where it has none or is open already."""
    resolved = schemas.resolve(schema)
    if resolved.name is not None:
        if resolved.name in open_names or len(open_names) >= _DEEPEST:
            return None
        open_names = (*open_names, resolved.name)
    inner = [_fields(resolved.schema, schemas, open_names)]
    inner += [schema_tree(part, schemas, open_names) for part in _parts(resolved.schema)]
    written = [part for part in inner if part]
    return joined(*written) if written else None


def _parts(schema: JSONObject) -> list[Any]:
    items = schema.get("items", [])
    additional = schema.get("additionalProperties")
    return [
        *alternatives(schema),
        *(items if is_list(items) else [items]),
        *([additional] if is_object(additional) else []),
    ]


def _fields(schema: JSONObject, schemas: Schemas, open_names: tuple[str, ...]) -> Html | None:
    properties = schema.get("properties", {})
    required = schema.get("required", ())
    rows = [
        _field(name, part, name in required, schemas, open_names)
        for name, part in properties.items()
    ]
    return element("ul", *rows, class_="fields") if rows else None


def _field(
    name: str, schema: Any, required: bool, schemas: Schemas, open_names: tuple[str, ...]
) -> Html:
    found = schemas.resolve(schema).schema
    line = joined(
        element("code", name, class_="name"),
        " ",
        element("span", type_label(schema, schemas), class_="type"),
        element("span", "required", class_="required") if required else None,
        *(element("span", limit, class_="limit") for limit in _limits(found)),
    )
    description = found.get("description") if is_object(schema) else None
    note = element("p", description, class_="note") if description else None
    return element("li", line, note, schema_tree(schema, schemas, open_names))


def type_label(schema: Any, schemas: Schemas) -> str:
    """Name what a value may be: `string`, `Item`, `array of Item`, `"a" | "b"`."""
    resolved = schemas.resolve(schema)
    found = resolved.schema
    if "const" in found:
        return _json(found["const"])
    if "enum" in found:
        return " | ".join(_json(value) for value in found["enum"])
    if choices := alternatives(found):
        return " | ".join(dict.fromkeys(type_label(choice, schemas) for choice in choices))
    if resolved.name is not None:
        plain = resolved.name.removesuffix("-Input").removesuffix("-Output")
        return str(found.get("title", plain))
    return _plain_label(found, schemas)


def _plain_label(schema: JSONObject, schemas: Schemas) -> str:
    kind = schema.get("type", "any")
    items, additional = schema.get("items"), schema.get("additionalProperties")
    if kind == "array" and is_list(items):
        return f"array of ({', '.join(type_label(item, schemas) for item in items)})"
    if kind == "array" and items:
        return f"array of {type_label(items, schemas)}"
    if kind == "object" and is_object(additional):
        return f"object of {type_label(additional, schemas)}"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _limits(schema: JSONObject) -> list[str]:
    limits = [
        f"{words} {schema[keyword]}" for keyword, words in _LIMITS.items() if keyword in schema
    ]
    return [*limits, f"default {_json(schema['default'])}"] if "default" in schema else limits


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
