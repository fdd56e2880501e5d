"""Translation of dictionary keys to camel case on the wire.

Schemas do not declare these keys. In outgoing frames they are found in the text. Incoming ones are translated by
functions added to the schema, so declared names and aliases are not affected.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from chanx.core._wire.schema import Node, changed, kind_of
from chanx.type_defs import JSONObject
from chanx.utils.text import camel_case, snake_case

__all__ = ["camel_key", "camel_tree", "reading_camel_keys", "writing_camel_keys"]

# Any other key, such as an identifier or a number, is data and is not changed.
_NAME: Final = re.compile(r"_*[a-z][A-Za-z0-9_]*")
# Quotation marks in strings are escaped, so only a key can begin after these characters and end like this.
_WRITTEN_KEY: Final = re.compile(rb'(?<=[{,])"(_*[a-z][A-Za-z0-9]*_[A-Za-z0-9_]*)":')

# Keys with a fixed set of values; a definition may be an enumeration.
_CLOSED: Final = frozenset({"definition-ref", "enum", "literal"})
# Keys that are not names. Strict ones are validated from JSON only, so no function may come before them.
_NO_NAMES: Final = frozenset(
    {"bool", "date", "datetime", "decimal", "float", "int", "time", "timedelta", "uuid"}
)
_ANY: Final[Node] = {"type": "any"}


def camel_key(key: str) -> str:
    """Return the key as it is written on the wire: `is_mine` -> `isMine`."""
    return camel_case(key) if _NAME.fullmatch(key) else key


# Any: a JSON value, or a Python value that is written as JSON.
def camel_tree(value: Any) -> Any:
    """Return a copy of the value with its keys as they are written on the wire."""
    return _with_keys(value, camel_key)


def writing_camel_keys(text: bytes, discriminator_field: str) -> bytes:
    """Translate the keys of a compact JSON text. One named as the discriminator field stays as it is."""
    kept = discriminator_field.encode()

    def translate(found: re.Match[bytes]) -> bytes:
        key = found[1]
        return found[0] if key == kept else b'"%b":' % camel_case(key.decode()).encode()

    return _WRITTEN_KEY.sub(translate, text)


def reading_camel_keys(schema: Any) -> Any:
    """Return a copy of the schema that translates keys of dictionaries and of extra fields to snake case."""
    return changed(schema, _reading)


def _reading(node: Node) -> Node:
    match kind_of(node):
        case "any":
            return _after(_snake_tree, node)
        case "dict" | "frozendict" | "ordered-dict":
            keys = node.get("keys_schema", _ANY)
            values = node.get("values_schema", _after(_snake_tree, _ANY))
            return {**node, "keys_schema": _reading_key(keys), "values_schema": values}
        case "counter" if "keys_schema" in node:
            return {**node, "keys_schema": _reading_key(node["keys_schema"])}
        case "list" if "items_schema" not in node:
            return {**node, "items_schema": _after(_snake_tree, _ANY)}
        case "model" if _config(node).get("extra_fields_behavior") == "allow":
            return {**node, "schema": _after(_with_snake_extras, node["schema"])}
        case "typed-dict" if _allows_extras(node):
            return _with_ref_outside(_after(_snake_extras_of(node), node), node)
        case _:
            return node


def _reading_key(keys: Node) -> Node:
    kind = kind_of(keys)
    if kind in _NO_NAMES:
        return keys
    if kind in _CLOSED:
        return _function("function-wrap", _as_written_or_snake, keys)
    return _function("function-before", _snake_key, keys)


def _as_written_or_snake(key: Any, validate: Callable[[Any], Any]) -> Any:
    try:
        return validate(key)
    except ValueError:
        return validate(_snake_key(key))


def _after(function: Callable[[Any], Any], schema: Any) -> Node:
    return _function("function-after", function, schema)


def _function(kind: str, function: Callable[..., Any], schema: Any) -> Node:
    return {
        "type": kind,
        "function": {"type": "no-info", "function": function},
        "schema": schema,
    }


def _with_ref_outside(outer: Node, inner: Node) -> Node:
    """Move the `ref` of the inner node to the outer one, so that references find the wrapped node."""
    ref = inner.get("ref")
    if ref is None:
        return outer
    bare = {name: value for name, value in inner.items() if name != "ref"}
    return {**outer, "schema": bare, "ref": ref}


def _config(node: Node) -> Node:
    return cast(Node, node.get("config") or {})


def _allows_extras(node: Node) -> bool:
    return "allow" in (node.get("extra_behavior"), _config(node).get("extra_fields_behavior"))


# Any: keys of other types are returned unchanged.
def _snake_key(key: Any) -> Any:
    return snake_case(key) if type(key) is str and _NAME.fullmatch(key) else key


def _snake_tree(value: Any) -> Any:
    return _with_keys(value, _snake_key)


def _with_keys(value: Any, spell: Callable[[Any], Any]) -> Any:
    if type(value) is dict:
        content = cast(JSONObject, value)
        return {spell(key): _with_keys(item, spell) for key, item in content.items()}
    if type(value) is list:
        return [_with_keys(item, spell) for item in cast("Iterable[Any]", value)]
    return value


# The fields of a model, its extra fields, and the names of those that were given.
_Fields = tuple[dict[str, Any], dict[str, Any] | None, set[str]]


def _with_snake_extras(fields: _Fields) -> _Fields:
    values, extras, given = fields
    if not extras:
        return fields
    return values, _snake_tree(extras), {_snake_key(n) if n in extras else n for n in given}


def _snake_extras_of(node: Node) -> Callable[[JSONObject], JSONObject]:
    declared: Node = node["fields"]

    def translate(values: JSONObject) -> JSONObject:
        extras = {name: value for name, value in values.items() if name not in declared}
        own = {name: value for name, value in values.items() if name in declared}
        return {**own, **_snake_tree(extras)} if extras else values

    return translate
