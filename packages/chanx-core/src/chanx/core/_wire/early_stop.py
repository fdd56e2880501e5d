"""Rewriting pydantic's core schema so that an invalid message costs little.

Pydantic describes every error that it finds. A client can put 20,000 items into 64 KiB, each of them invalid for every
member of a union, and so block the event loop for a tenth of a second. So in larger messages, lists and dictionaries
are validated up to their first invalid item. Valid messages are not affected.
"""

from collections.abc import Callable
from math import inf
from typing import Any, Final

from pydantic import ValidationError

from chanx.core._wire.schema import Node, changed, kind_of, nodes_of

__all__ = ["detailed_up_to", "stopping_early"]

_SEQUENCES: Final = frozenset({"list", "tuple", "set", "frozenset"})
# A value of these has at most one error. One error per key of a dictionary is cheap enough.
_SCALARS: Final = frozenset(
    {
        "any",
        "bool",
        "bytes",
        "date",
        "datetime",
        "decimal",
        "enum",
        "float",
        "int",
        "literal",
        "none",
        "str",
        "time",
        "timedelta",
        "url",
        "uuid",
    }
)


# Nodes that have errors in their parts only.
_INNER: Final = frozenset(
    {"default", "model-field", "model-fields", "nullable", "tagged-union", "union"}
)
# An item has at least two characters.
_CHARACTERS: Final = 2 * 500


class _StoppedError(Exception):
    """Carries a ValidationError out of a collection: after a ValidationError, pydantic would validate the next item."""

    def __init__(self, error: ValidationError) -> None:
        self.error = error


def detailed_up_to(schema: Any) -> float:
    """Return up to how many characters a message is validated completely: it has at most 500 errors then."""
    nodes = [*nodes_of(schema)]
    collections = [[*nodes_of(node)] for node in nodes if _is_collection(node)]
    if not collections:
        return inf
    # A definition may be used anywhere, and may refer to itself.
    return _CHARACTERS / max(
        _errors_of(nodes if any(kind_of(part) == "definition-ref" for part in parts) else parts)
        for parts in collections
    )


def _is_collection(node: Node) -> bool:
    return kind_of(node) in _SEQUENCES or _is_costly(node)


def _errors_of(nodes: list[Node]) -> int:
    """Return how many errors one item can have at most; `nodes` includes the collection."""
    return max(1, sum(kind_of(node) not in _INNER for node in nodes) - 1)


def stopping_early(schema: Any) -> Any:
    """Return a copy of the schema that validates each collection up to its first invalid item."""
    return changed(schema, _stopping)


def _stopping(node: Node) -> Node:
    if kind_of(node) in _SEQUENCES:
        return {**node, "fail_fast": True}
    return _stopping_dictionary(node) if _is_costly(node) else node


def _is_costly(node: Node) -> bool:
    if kind_of(node) != "dict" or "values_schema" not in node:
        return False
    values = node["values_schema"]
    if kind_of(values) == "nullable":
        values = values["schema"]
    return kind_of(values) not in _SCALARS


def _stopping_dictionary(node: Node) -> Node:
    """Stop at the first invalid value with our own exception: dictionaries have no `fail_fast`."""
    inner = {**node, "values_schema": _wrapped(_stop, node["values_schema"])}
    ref = inner.pop("ref", None)
    outer = _wrapped(_end, inner)
    return outer if ref is None else {**outer, "ref": ref}


def _wrapped(function: Callable[[Any, Any], Any], schema: Any) -> Node:
    return {
        "type": "function-wrap",
        "function": {"type": "no-info", "function": function},
        "schema": schema,
    }


# Any: pydantic passes values of any type, and the wrapped validation.
def _stop(value: Any, validate: Callable[[Any], Any]) -> Any:
    try:
        return validate(value)
    except ValidationError as error:
        raise _StoppedError(error) from None


def _end(value: Any, validate: Callable[[Any], Any]) -> Any:
    try:
        return validate(value)
    except _StoppedError as stopped:
        raise stopped.error from None
