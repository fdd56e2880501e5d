"""Whether parsed JSON may be validated directly, without serialising it again."""

from typing import Any, cast

from chanx.core._wire.schema import Node, kind_of, nodes_of

__all__ = ["reads_parsed_json"]

_SCALARS = frozenset({"str", "int", "float", "bool", "none", "literal"})
_FUNCTIONS = frozenset({"function-before", "function-after", "function-wrap", "function-plain"})
# Validated to the same result from JSON text and from Python values. Dates, for example, are stricter about the latter.
_SAFE = (
    _SCALARS
    | _FUNCTIONS
    | {
        "any", "default", "definition-ref", "definitions", "dict", "list", "model", "model-field", "model-fields",
        "no-info", "nullable", "tagged-union", "typed-dict", "typed-dict-field", "union",
    }
)  # fmt: skip


def reads_parsed_json(schema: Any) -> bool:
    """Return whether a schema validates parsed JSON to the same result as its text."""
    return all(_is_safe(node) for node in nodes_of(schema))


def _is_safe(node: Node) -> bool:
    kind = kind_of(node)
    if kind not in _SAFE or node.get("strict") or node.get("config", {}).get("strict"):
        return False
    if kind in _FUNCTIONS:
        # Other functions get information on which of the two they validate.
        return bool(node["function"]["type"] == "no-info")
    if kind == "union":
        # A union chooses the best match, and a model matches text and dictionaries differently.
        return all(kind_of(_choice(choice)) in _SCALARS for choice in node["choices"])
    if kind == "dict":
        return kind_of(node.get("keys_schema", {"type": "str"})) in ("str", "any")
    return True


def _choice(choice: Any) -> Node:
    # A choice may have a label.
    return cast("Node", choice[0] if isinstance(choice, tuple) else choice)
