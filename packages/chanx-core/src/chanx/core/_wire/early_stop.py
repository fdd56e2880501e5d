"""Rewriting pydantic's core schema so that an invalid message costs little.

Pydantic describes every error that it finds. In 64 KiB a client can put 20,000 items, each wrong for every member of a
union: a tenth of a second for everybody on the event loop. So in larger messages lists and dictionaries are checked up
to their first invalid item. Valid messages are not affected.
"""

from collections.abc import Callable
from math import inf
from typing import Any, Final

from pydantic import ValidationError

from chanx.core._wire.schema import Node, changed, kind_of, nodes_of

__all__ = ["detailed_up_to", "stopping_early"]

_SEQUENCES: Final = frozenset({"list", "tuple", "set", "frozenset"})
# A value of these has one error at most: as many as a dictionary has keys, which is cheap enough.
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


# Nodes with errors in their parts alone.
_INNER: Final = frozenset(
    {"default", "model-field", "model-fields", "nullable", "tagged-union", "union"}
)
# An item has two characters at least.
_CHARACTERS: Final = 2 * 500


class _StoppedError(Exception):
    """Carries a ValidationError past the other items: pydantic goes on with them after one of its own."""

    def __init__(self, error: ValidationError) -> None:
        self.error = error


def detailed_up_to(schema: Any) -> float:
    """Return how many characters a message may have to be checked as a whole: it has no more than 500 errors then."""
    nodes = [*nodes_of(schema)]
    collections = [[*nodes_of(node)] for node in nodes if _is_collection(node)]
    if not collections:
        return inf
    # What a definition refers to may be anywhere, and refer to itself.
    return _CHARACTERS / max(
        _errors_of(nodes if any(kind_of(part) == "definition-ref" for part in parts) else parts)
        for parts in collections
    )


def _is_collection(node: Node) -> bool:
    return kind_of(node) in _SEQUENCES or _is_costly(node)


def _errors_of(nodes: list[Node]) -> int:
    """Return how many errors one item of a collection has at most, the collection among its nodes."""
    return max(1, sum(kind_of(node) not in _INNER for node in nodes) - 1)


def stopping_early(schema: Any) -> Any:
    """Return a copy of the schema that checks each collection up to its first invalid item."""
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
    """Dictionaries have no `fail_fast`: an exception of our own ends them at the first invalid value."""
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


# Any: pydantic passes whatever a value is, and the validation that is wrapped.
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
