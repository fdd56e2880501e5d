"""An example of a schema: short, and valid wherever that can be known from the schema."""

import re
from typing import Any

from chanx.asyncapi.docs._schema import Schemas, alternatives
from chanx.asyncapi.shapes import is_list, is_object
from chanx.type_defs import JSONObject

__all__ = ["example"]

_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "email": "user@example.com",
    "uri": "https://example.com/",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "binary": "",
}
# What patterns commonly want: identifiers, codes, numbers, versions, addresses.
_WORDS = """
abc a ABC A Abc a1 A1 abc-def abc_def abc.def abcdefgh ABCDEFGH
1.5 1.50 1.0.0 v1.0.0 a1b2c3d4 #a1b2c3 0x1f A-1 ABC-123 AB12 12:00 12:00:00 2026-01-31
en en-US EUR +4912345678 user@example.com https://example.com/ example.com /path
"""
_SHAPES = (*_WORDS.split(), *("1" * digits for digits in range(1, 17)))
_DEEPEST = 8


def example(schema: Any, schemas: Schemas, open_names: tuple[str, ...] = ()) -> Any:
    """Return a value that the schema describes; a model that holds itself ends where it may be left out."""
    resolved = schemas.resolve(schema)
    found = resolved.schema
    for keyword in ("const", "default"):
        if keyword in found:
            return found[keyword]
    for keyword in ("examples", "enum"):
        if found.get(keyword):
            return found[keyword][0]
    if resolved.name is not None:
        open_names = (*open_names, resolved.name)
    if choices := alternatives(found):
        return example(_simplest(choices, schemas, open_names), schemas, open_names)
    return _of_type(found, schemas, open_names)


def _simplest(choices: list[Any], schemas: Schemas, open_names: tuple[str, ...]) -> Any:
    """Prefer what is not null and does not hold itself."""
    fresh = [choice for choice in choices if schemas.resolve(choice).name not in open_names]
    telling = [choice for choice in fresh if schemas.resolve(choice).schema.get("type") != "null"]
    return (telling or fresh or choices)[0]


def _of_type(schema: JSONObject, schemas: Schemas, open_names: tuple[str, ...]) -> Any:
    kind = schema.get("type")
    match kind[0] if is_list(kind) else kind:
        case "object":
            return _object(schema, schemas, open_names)
        case "array":
            return _array(schema, schemas, open_names)
        case "string":
            return _string(schema)
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case _:
            return None


def _object(schema: JSONObject, schemas: Schemas, open_names: tuple[str, ...]) -> JSONObject:
    required = schema.get("required", ())
    if len(open_names) > _DEEPEST:
        return {}
    return {
        name: example(part, schemas, open_names)
        for name, part in schema.get("properties", {}).items()
        if name in required or (is_object(part) and "default" in part)
    }


def _array(schema: JSONObject, schemas: Schemas, open_names: tuple[str, ...]) -> list[Any]:
    items = schema.get("items", {})
    if is_list(items):
        return [example(item, schemas, open_names) for item in items]
    least = schema.get("minItems", 0)
    if schemas.resolve(items).name in open_names and not least:
        return []
    return [example(items, schemas, open_names)] * max(least, 1)


def _string(schema: JSONObject) -> str:
    text = _FORMATS.get(schema.get("format", ""), "string")
    text += "." * (schema.get("minLength", 0) - len(text))
    text = str(text[: schema.get("maxLength")])
    if "pattern" not in schema:
        return text
    return next((shape for shape in (text, *_SHAPES) if _matches(shape, schema)), text)


def _matches(text: str, schema: JSONObject) -> bool:
    if not schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)):
        return False
    try:
        return re.search(schema["pattern"], text) is not None
    except re.error:  # written for another engine
        return False


def _number(schema: JSONObject) -> float:
    step: float = schema.get("multipleOf", 1)
    low: float = _first(schema, "minimum", "exclusiveMinimum", step)
    high: float = _first(schema, "maximum", "exclusiveMaximum", low)
    steps = [-(-low // step) * step, low // step * step + step, high // step * step - step]
    candidates = [step, *steps, low, high, (low + high) / 2]
    return next((number for number in candidates if _fits(number, schema)), step)


def _first(schema: JSONObject, keyword: str, other: str, otherwise: float) -> Any:
    return schema[keyword] if keyword in schema else schema.get(other, otherwise)


def _fits(number: float, schema: JSONObject) -> bool:
    return bool(
        schema.get("minimum", number) <= number <= schema.get("maximum", number)
        and schema.get("exclusiveMinimum", number - 1) < number
        and number < schema.get("exclusiveMaximum", number + 1)
    )
