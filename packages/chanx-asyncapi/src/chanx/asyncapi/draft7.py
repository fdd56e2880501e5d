"""From the JSON Schema that pydantic writes (2020-12) to the one that AsyncAPI reads (draft 7)."""

from collections.abc import Callable
from typing import Any

from chanx.asyncapi.shapes import is_finite, is_list, is_object
from chanx.type_defs import JSONObject

__all__ = ["map_schemas", "to_draft7"]

# Where a schema holds schemas. Everything else is data (defaults, examples, constants) and stays untouched.
_ONE = frozenset({
    "additionalItems", "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
})  # fmt: skip
_MANY = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
_NAMED = frozenset({"definitions", "dependencies", "patternProperties", "properties"})
_SCHEMAS = _ONE | _MANY | _NAMED


def to_draft7(schema: Any) -> Any:
    """Return a copy of a schema (an object, or true or false) in the words of draft 7."""
    if not is_object(schema):
        return schema
    copy = map_schemas(_without_constants(schema), to_draft7)
    _rename_tuple_items(copy)
    _name_discriminator(copy)
    return _with_reference_alone(copy)


def map_schemas(schema: JSONObject, change: Callable[[Any], Any]) -> JSONObject:
    """Return a copy of a schema with each schema directly inside of it changed; data stays as it is."""
    return {keyword: _mapped(keyword, value, change) for keyword, value in schema.items()}


def _mapped(keyword: str, value: Any, change: Callable[[Any], Any]) -> Any:
    if keyword in _NAMED and is_object(value):
        return {name: change(schema) for name, schema in value.items()}
    if keyword in _MANY and is_list(value):
        return [change(schema) for schema in value]
    return change(value) if keyword in _ONE else value


def _without_constants(schema: JSONObject) -> JSONObject:
    """Leave out data that holds NaN or infinity, which JSON does not have: a limit, a default, one of the examples."""
    return {
        keyword: _finite_items(value) if keyword == "examples" else value
        for keyword, value in schema.items()
        if keyword in _SCHEMAS or keyword == "examples" or is_finite(value)
    }


def _finite_items(examples: Any) -> Any:
    if is_list(examples):
        return [item for item in examples if is_finite(item)]
    return examples if is_finite(examples) else []


def _rename_tuple_items(schema: JSONObject) -> None:
    if "prefixItems" not in schema:
        return
    if "items" in schema:
        schema["additionalItems"] = schema["items"]
    schema["items"] = schema.pop("prefixItems")


def _name_discriminator(schema: JSONObject) -> None:
    """AsyncAPI's discriminator is the name of a property, not OpenAPI's object."""
    discriminator = schema.get("discriminator")
    if is_object(discriminator):
        schema["discriminator"] = discriminator["propertyName"]


def _with_reference_alone(schema: JSONObject) -> JSONObject:
    """Draft 7 ignores what stands beside `$ref`."""
    if "$ref" not in schema or len(schema) == 1:
        return schema
    rest = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
    return {**rest, "allOf": [{"$ref": schema["$ref"]}, *rest.get("allOf", ())]}
