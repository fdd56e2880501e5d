"""Rewriting pydantic's core schema to another spelling of field names.

Only declared names are translated (fields of models, dataclasses and typed dictionaries). Keys of data are not part of
a schema, so they are not changed.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, cast

from pydantic_core import PydanticCustomError

from chanx.messages.base import BaseMessage
from chanx.utils.text import camel_case

__all__ = [
    "COLLISION",
    "OPAQUE",
    "Node",
    "WireFormat",
    "changed",
    "declared_names",
    "finding_collisions",
    "has_floats",
    "kind_of",
    "may_write_constants",
    "nodes_of",
    "on_the_wire",
    "refusing_infinity",
    "renamed_fields",
    "takes_any_number",
]

# Keys of a schema node whose values are Python objects, not schema nodes.
OPAQUE = frozenset(
    {"cls", "metadata", "function", "serialization", "config", "default", "post_init"}
)

Node = dict[str, Any]

# Settings of pydantic 2.11 and later, and of earlier versions.
_BY_NAME = {"validate_by_alias": True, "validate_by_name": True, "populate_by_name": True}

COLLISION: Final = "key_collision"


# Kinds of schema nodes that contain no float, or reject one that is not finite. Any other kind may accept one.
_WITHOUT_FLOATS: Final = frozenset(
    {
        "bool",
        "bytes",
        "computed-field",
        "default",
        "definition-ref",
        "definitions",
        "dict",
        "enum",
        "frozenset",
        "int",
        "list",
        "literal",
        "model",
        "model-field",
        "model-fields",
        "none",
        "nullable",
        "set",
        "str",
        "tagged-union",
        "tuple",
        "typed-dict",
        "typed-dict-field",
        "union",
        "uuid",
    }
)


# Kinds whose serializer writes no NaN and no infinity, unless a config says so.
_WITHOUT_CONSTANTS: Final = _WITHOUT_FLOATS | {
    "date",
    "datetime",
    "decimal",
    "float",
    "function-after",
    "function-before",
    "function-wrap",
    "time",
    "timedelta",
    "url",
}


# The members of these have any type unless the schema has this key.
_CONTAINERS: Final = {
    "dict": "values_schema",
    "list": "items_schema",
    "set": "items_schema",
    "frozenset": "items_schema",
}


class WireFormat(NamedTuple):
    """How messages are written on the socket; the channel layer has its own format."""

    discriminator_field: str = "action"
    camelize: bool = False
    camelize_dicts: bool = False

    @property
    def translates_dicts(self) -> bool:
        """True if keys of dictionaries are translated like field names."""
        return self.camelize and self.camelize_dicts

    @property
    def is_plain(self) -> bool:
        """True if the socket and the layer have the same format."""
        return self.discriminator_field == "action" and not self.camelize

    def spell(self, name: str) -> str:
        """Return a field's name as it is written on the wire."""
        return camel_case(name) if self.camelize else name


def on_the_wire(schema: Any, wire: WireFormat) -> Any:
    """Return a copy of the schema that reads and writes names as the wire format spells them."""
    return _Rewriter(wire, _definitions(schema)).rewritten(schema)


def finding_collisions(schema: Any, wire: WireFormat) -> Any:
    """Return a copy of the schema that rejects an object in which two keys name one field."""
    return _CollisionFinder(wire, _definitions(schema)).rewritten(schema)


def renamed_fields(schema: Any, wire: WireFormat) -> frozenset[str]:
    """Return the names of fields that are spelled differently on the wire."""
    names = (name for node in nodes_of(schema) for name in _own_fields(node))
    return frozenset(name for name in names if wire.spell(name) != name)


def declared_names(schema: Any) -> frozenset[str]:
    """Return every string in a validation error that does not come from the client."""
    return frozenset(name for node in nodes_of(schema) for name in _names_of(node))


def refusing_infinity(schema: Any) -> Any:
    """Return a copy of the schema whose floats reject NaN and the infinities, which a string may spell."""

    def refuse(node: Node) -> Node:
        return {**node, "allow_inf_nan": False} if kind_of(node) == "float" else node

    return changed(schema, refuse)


def changed(schema: Any, change: Callable[[Node], Node]) -> Any:
    """Return a copy of the schema with `change` applied to each node, from the inside out."""
    if isinstance(schema, list | tuple):
        items = [changed(item, change) for item in cast("list[Any]", schema)]
        return tuple(items) if isinstance(schema, tuple) else items
    if not isinstance(schema, dict):
        return schema
    node = cast(Node, schema)
    kind = kind_of(node)
    opaque = OPAQUE if kind else frozenset[str]()
    copy = {
        name: value if name in opaque else changed(value, change) for name, value in node.items()
    }
    return change(copy) if kind else copy


def has_floats(schema: Any) -> bool:
    """Return whether the schema declares a float."""
    return any(kind_of(node) == "float" for node in nodes_of(schema))


def takes_any_number(schema: Any) -> bool:
    """Return whether the schema accepts a float of any size, or passes one to a function."""
    return any(_may_take_any_number(node) for node in nodes_of(schema))


def _may_take_any_number(node: Node) -> bool:
    kind = kind_of(node)
    config = cast(Node, node.get("config") or {})
    return (
        kind not in _WITHOUT_FLOATS
        or _has_open_place(node)
        or bool(node.get("custom_init") or config.get("coerce_numbers_to_str"))
    )


def _has_open_place(node: Node) -> bool:
    """Return whether a node contains values that the schema does not describe."""
    kind = kind_of(node)
    config = cast(Node, node.get("config") or {})
    return (kind in _CONTAINERS and _CONTAINERS[kind] not in node) or "allow" in (
        node.get("extra_behavior"),
        config.get("extra_fields_behavior"),
    )


def may_write_constants(schema: Any) -> bool:
    """Return whether pydantic may write NaN or an infinity for the schema, or for a model in an open place."""
    return any(_may_write_constants(node) for node in nodes_of(schema))


def _may_write_constants(node: Node) -> bool:
    config = cast(Node, node.get("config") or {})
    return (
        kind_of(node) not in _WITHOUT_CONSTANTS
        or "serialization" in node
        or _has_open_place(node)
        or config.get("ser_json_inf_nan") == "constants"
        or bool(config.get("polymorphic_serialization"))
    )


class _Rewriter:
    def __init__(self, wire: WireFormat, definitions: dict[str, Node]) -> None:
        self._wire = wire
        self._definitions = definitions

    def rewritten(self, node: Any, *, in_message: bool = False) -> Any:
        if isinstance(node, list | tuple):
            return [self.rewritten(item, in_message=in_message) for item in cast("list[Any]", node)]
        if not isinstance(node, dict):
            return node
        node = cast(Node, node)
        kind = kind_of(node)
        if kind == "model":
            in_message = issubclass(node["cls"], BaseMessage)
        copy = self._children(node, in_message=in_message and kind != "model-fields")
        self._respell(
            copy,
            in_message=in_message,
            tells_messages=kind == "tagged-union" and self._tells_messages(node),
        )
        return copy

    def _respell(self, copy: Node, *, in_message: bool, tells_messages: bool) -> None:
        match kind_of(copy):
            case "model":
                # Both spellings are accepted, as clients of one API may differ; one is written.
                copy["config"] = {**copy.get("config", {}), **_BY_NAME}
            case "tagged-union" if isinstance(copy["discriminator"], str):
                copy["discriminator"] = self._spell(copy["discriminator"], tells_messages)
            case "model-fields" | "typed-dict":
                fields = cast(dict[str, Node], copy["fields"])
                copy["fields"] = {
                    name: _named(field, name, self._spell(name, in_message))
                    for name, field in fields.items()
                }
            case "computed-field":
                copy["alias"] = self._spell(copy["property_name"], False)
            case "dataclass-args":
                copy["fields"] = [
                    _named(field, field["name"], self._spell(field["name"], False))
                    for field in copy["fields"]
                ]
            case _:
                pass

    def _children(self, node: Node, *, in_message: bool) -> Node:
        opaque = (
            OPAQUE if kind_of(node) else frozenset[str]()
        )  # a mapping of names may hold any key
        return {
            name: value if name in opaque else self.rewritten(value, in_message=in_message)
            for name, value in node.items()
        }

    def _spell(self, name: str, in_message: bool) -> str:
        if in_message and name == "action":
            return self._wire.discriminator_field
        return self._wire.spell(name)

    def _tells_messages(self, union: Node) -> bool:
        return all(self._is_message(choice) for choice in union["choices"].values())

    def _is_message(self, choice: Node) -> bool:
        if choice.get("type") == "definition-ref":
            choice = self._definitions[choice["schema_ref"]]
        return issubclass(choice.get("cls", object), BaseMessage)


class _CollisionFinder(_Rewriter):
    def rewritten(self, node: Any, *, in_message: bool = False) -> Any:
        copy = super().rewritten(node, in_message=in_message)
        if not isinstance(node, dict):
            return copy
        pairs = {
            name: self._wire.spell(name)
            for name in _own_fields(cast(Node, node))
            if self._wire.spell(name) != name
        }
        if not pairs:
            return copy
        check = {"type": "no-info", "function": _refusing(pairs)}
        return {"type": "function-before", "function": check, "schema": copy}


def _refusing(pairs: dict[str, str]) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if isinstance(value, dict):
            for name, wire_name in pairs.items():
                if name in value and wire_name in value:
                    raise PydanticCustomError(
                        COLLISION,
                        "Keys {one} and {other} are one field",
                        {"one": name, "other": wire_name},
                    )
        return cast(Any, value)

    return check


def _own_fields(node: Node) -> Iterator[str]:
    match kind_of(node):
        case "model-fields" | "typed-dict":
            yield from cast(Node, node["fields"])
        case "dataclass-args":
            yield from (field["name"] for field in node["fields"])
        case _:
            pass


def _named(field: Node, name: str, wire_name: str) -> Node:
    if wire_name == name and "serialization_alias" not in field:
        return field
    return {"validation_alias": wire_name, **field, "serialization_alias": wire_name}


def kind_of(node: Node) -> str | None:
    """Return a schema node's type; a mapping from names to nodes has none, even with a key `type`."""
    kind = node.get("type")
    return kind if isinstance(kind, str) else None


def _definitions(schema: Any) -> dict[str, Node]:
    definitions = cast("list[Node]", schema.get("definitions", ()))
    return {definition["ref"]: definition for definition in definitions}


def nodes_of(schema: Any) -> Iterator[Node]:
    """Yield every node of a schema, without the mappings from names to nodes."""
    if isinstance(schema, list | tuple):
        for item in cast("list[Any]", schema):
            yield from nodes_of(item)
    if not isinstance(schema, dict):
        return
    node = cast(Node, schema)
    kind = kind_of(node)
    if kind:
        yield node
    for name, value in node.items():
        if kind is None or name not in OPAQUE:
            yield from nodes_of(value)


def _names_of(node: Node) -> Iterator[str]:
    # Members of plain unions are named by their type or class.
    kind = str(node["type"])
    yield kind
    yield getattr(node.get("cls"), "__name__", kind)
    if kind == "tagged-union":
        yield from (tag for tag in node["choices"] if isinstance(tag, str))
    if kind in ("model-fields", "typed-dict"):
        yield from cast(Node, node["fields"])
    if kind == "dataclass-field":
        yield node["name"]
    yield from _aliases(node.get("validation_alias"))


def _aliases(alias: Any) -> Iterator[str]:
    if isinstance(alias, str):
        yield alias
    elif isinstance(alias, list | tuple):
        for part in cast("list[Any]", alias):
            yield from _aliases(part)
