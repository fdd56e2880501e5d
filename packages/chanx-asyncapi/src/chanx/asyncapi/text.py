"""A document as text."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from chanx.asyncapi.shapes import is_object
from chanx.type_defs import JSONObject

__all__ = ["to_compact_text", "to_json_text", "to_yaml_text"]

# Compiled writers hold the interpreter until they return, so they are given small parts of a document.
_DIVIDED = frozenset({
    ("channels",), ("operations",), ("components",), ("components", "messages"), ("components", "schemas"),
})  # fmt: skip
_DIVIDED_DEPTH = 5

# The compiled writer where the platform's wheel has it.
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_SafeDumper):  # type: ignore[misc] # either of two classes
    """Writes shared parts where they are used: readers of YAML anchors are rare."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never write an anchor."""
        return True


def to_json_text(document: JSONObject) -> str:
    """Write a document as JSON, indented."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_compact_text(value: Any, depth: int = 0) -> str:
    """Write a document as JSON on one line."""
    if depth < _DIVIDED_DEPTH and is_object(value):
        entries = (
            f"{_compact(key)}:{to_compact_text(item, depth + 1)}" for key, item in value.items()
        )
        return f"{{{','.join(entries)}}}"
    return _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def to_yaml_text(document: JSONObject) -> str:
    """Write a document as YAML."""
    return "".join(_yaml_pieces(document, ()))


def _yaml_pieces(content: JSONObject, path: tuple[str, ...]) -> Iterator[str]:
    for key, item in content.items():
        inner = (*path, key)
        if inner in _DIVIDED and is_object(item) and item:
            yield f"{'  ' * len(path)}{key}:\n"
            yield from _yaml_pieces(item, inner)
        else:
            yield _yaml_piece({key: item}, path)


def _yaml_piece(content: JSONObject, path: tuple[str, ...]) -> str:
    """Write a part of the document, with the indentation that it has there."""
    for key in reversed(path):
        content = {key: content}
    plain = json.loads(_compact(content))  # subclasses of str and the like become what JSON has
    text: str = yaml.dump(
        plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, indent=2, width=120
    )
    return text.split("\n", len(path))[-1]
