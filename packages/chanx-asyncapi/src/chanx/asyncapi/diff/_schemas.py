"""Two schemas of one value, from the side of clients that know the first.

What clients write must not be accepted less: a narrower schema breaks. What clients read must not be more than they
know: a wider one breaks.
"""

import json
import operator
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from chanx.asyncapi.diff._change import Change, Direction
from chanx.asyncapi.shapes import is_list, is_object
from chanx.asyncapi.validation._problem import pointer
from chanx.asyncapi.validation._references import resolved
from chanx.type_defs import JSONObject

__all__ = ["SchemaComparison"]

Path = tuple[str, ...]

_EVERYTHING = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_TEXTS = ("pattern", "format", "multipleOf", "contentEncoding", "contentMediaType")


@dataclass(slots=True)
class SchemaComparison:
    """The payloads of one message."""

    old: JSONObject
    new: JSONObject
    direction: Direction
    message: str
    _open: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def compare(self, before: Any, after: Any, path: Path, name: str = "") -> Iterator[Change]:
        """Yield what changed; a pair of schemas that hold themselves is looked at once."""
        pair = (_identity(before), _identity(after))
        if before == after and not _holds_reference(before):
            return
        if pair in self._open:
            return
        if all(pair):
            self._open.add(pair)
        if pair[1]:
            path = tuple(pair[1].removeprefix("#/").split("/"))  # where it is really written
        yield from self._resolved(
            self._schema(self.old, before), self._schema(self.new, after), path, name
        )

    def _resolved(
        self, before: JSONObject, after: JSONObject, path: Path, name: str
    ) -> Iterator[Change]:
        choices = _choices(before), _choices(after)
        if any(len(listed) > 1 for listed in choices):
            yield from self._choices(*choices, path, name)
            return
        before, after = (listed[0] for listed in choices)
        before, after = self._schema(self.old, before), self._schema(self.new, after)
        for part in (
            self._type,
            self._values,
            self._bounds,
            self._texts,
            self._object,
            self._items,
        ):
            yield from part(before, after, path, name)

    # What a value may be

    def _type(
        self, before: JSONObject, after: JSONObject, path: Path, name: str
    ) -> Iterator[Change]:
        old, new = _types(before), _types(after)
        if old == new:
            return
        rule = _relation(old, new)
        message = f"{self._subject(name)} was {_type_words(before)} and is {_type_words(after)}"
        yield self._change(f"type-{rule}", rule, path, message)

    def _values(
        self, before: JSONObject, after: JSONObject, path: Path, name: str
    ) -> Iterator[Change]:
        old, new = _enumerated(before), _enumerated(after)
        if old == new or (old is None and new is None):
            return
        if old is None:
            yield self._change(
                "enum-added",
                "narrowed",
                path,
                f"{self._subject(name)} may only be {_listed(new)} now",
            )
        elif new is None:
            yield self._change(
                "enum-removed",
                "widened",
                path,
                f"{self._subject(name)} is no longer limited to {_listed(old)}",
            )
        else:
            yield from self._changed_values(old, new, path, name)

    def _changed_values(
        self, old: dict[str, Any], new: dict[str, Any], path: Path, name: str
    ) -> Iterator[Change]:
        gone = {text: value for text, value in old.items() if text not in new}
        more = {text: value for text, value in new.items() if text not in old}
        if gone:
            message = f"{self._subject(name)} can no longer be {_listed(gone)}"
            yield self._change("enum-narrowed", "narrowed", path, message)
        if more:
            message = f"{self._subject(name)} can now be {_listed(more)} too"
            yield self._change("enum-widened", "widened", path, message)

    def _bounds(
        self, before: JSONObject, after: JSONObject, path: Path, name: str
    ) -> Iterator[Change]:
        for keywords, narrower in ((_LOWER, operator.gt), (_UPPER, operator.lt)):
            for keyword in keywords:
                old, new = before.get(keyword), after.get(keyword)
                if old == new:
                    continue
                is_narrower = old is None or (new is not None and narrower(new, old))
                message = (
                    f"{keyword} of {self._subject(name)} was {_shown(old)} and is {_shown(new)}"
                )
                yield self._change("limit", "narrowed" if is_narrower else "widened", path, message)
        if bool(before.get("uniqueItems")) != bool(after.get("uniqueItems")):
            change = "narrowed" if after.get("uniqueItems") else "widened"
            message = f"the items of {self._subject(name)} {'must' if change == 'narrowed' else 'need not'} differ"
            yield self._change("limit", change, path, message)

    def _texts(
        self, before: JSONObject, after: JSONObject, path: Path, name: str
    ) -> Iterator[Change]:
        for keyword in _TEXTS:
            old, new = before.get(keyword), after.get(keyword)
            if old == new:
                continue
            change = "narrowed" if old is None else "widened" if new is None else "changed"
            message = f"{keyword} of {self._subject(name)} was {_shown(old)} and is {_shown(new)}"
            yield self._change(
                keyword.lower() if keyword in ("pattern", "format") else "limit",
                change,
                path,
                message,
            )

    # What is in a value

    def _object(
        self, before: JSONObject, after: JSONObject, path: Path, name: str
    ) -> Iterator[Change]:
        old, new = before.get("properties", {}), after.get("properties", {})
        for field_name in old:
            inner, inner_path = _joined(name, field_name), (*path, "properties", field_name)
            if field_name not in new:
                yield self._removed(after, path, inner)
            else:
                yield from self._required(before, after, field_name, inner_path, inner)
                yield from self.compare(old[field_name], new[field_name], inner_path, inner)
        for field_name in new:
            if field_name not in old:
                yield self._added(
                    before, after, field_name, (*path, "properties", field_name), name
                )
        yield from self._additional(before, after, path, name)

    def _removed(self, after: JSONObject, path: Path, name: str) -> Change:
        if self.direction == "to-client":
            message = f"{self._subject(name)} is gone; clients may read it"
            return self._told("property-removed", True, path, message)
        refused = after.get("additionalProperties") is False
        message = f"{self._subject(name)} is gone; {'it is refused now' if refused else 'it is ignored if sent'}"
        return self._told("property-removed", refused, path, message)

    def _added(
        self, before: JSONObject, after: JSONObject, field_name: str, path: Path, name: str
    ) -> Change:
        subject = self._subject(_joined(name, field_name))
        if self.direction == "to-client":
            refused = before.get("additionalProperties") is False
            return self._told("property-added", refused, path, f"{subject} is new")
        needed = field_name in after.get("required", ())
        message = f"{subject} is new and {'required' if needed else 'optional'}"
        return self._told(
            "required-property-added" if needed else "property-added", needed, path, message
        )

    def _required(
        self, before: JSONObject, after: JSONObject, field_name: str, path: Path, name: str
    ) -> Iterator[Change]:
        was, is_now = (field_name in schema.get("required", ()) for schema in (before, after))
        if was == is_now:
            return
        change = "narrowed" if is_now else "widened"
        message = f"{self._subject(name)} is {'required' if is_now else 'optional'} now"
        yield self._change("required" if is_now else "optional", change, path, message)

    def _additional(
        self, before: JSONObject, after: JSONObject, path: Path, name: str
    ) -> Iterator[Change]:
        old, new = before.get("additionalProperties", True), after.get("additionalProperties", True)
        inner = (*path, "additionalProperties")
        if old == new and not _holds_reference(old):
            return
        if old is False or new is False:
            change = "narrowed" if new is False else "widened"
            message = (
                f"{self._subject(name)} {'takes no' if new is False else 'may have'} further keys"
            )
            yield self._change("additional-properties", change, inner, message)
        else:
            yield from self.compare(
                _as_object(old), _as_object(new), inner, f"{name}.*" if name else "*"
            )

    def _items(
        self, before: JSONObject, after: JSONObject, path: Path, name: str
    ) -> Iterator[Change]:
        old, new = before.get("items", {}), after.get("items", {})
        if is_list(old) and is_list(new):
            pairs: Iterator[tuple[Any, Any]] = zip_longest(old, new, fillvalue={})
            for index, (one, other) in enumerate(pairs):
                inner = (*path, "items", str(index))
                yield from self.compare(one, other, inner, f"{name}[{index}]")
        elif is_list(old) or is_list(new):
            message = f"{self._subject(name)} {'has one kind of item' if is_list(old) else 'is a tuple'} now"
            yield self._change("type-changed", "changed", (*path, "items"), message)
        else:
            yield from self.compare(old, new, (*path, "items"), f"{name}[]")

    # One of several

    def _choices(
        self, before: list[Any], after: list[Any], path: Path, name: str
    ) -> Iterator[Change]:
        old = {self._choice_name(self.old, choice): choice for choice in before}
        new = {self._choice_name(self.new, choice): choice for choice in after}
        for label, choice in old.items():
            if label in new:
                yield from self.compare(
                    choice, new[label], path, f"{name}<{label}>" if name else f"<{label}>"
                )
            else:
                message = f"{self._subject(name)} can no longer be {label}"
                yield self._change("choice-removed", "narrowed", path, message)
        for label in new:
            if label not in old:
                message = f"{self._subject(name)} can now be {label} too"
                yield self._change("choice-added", "widened", path, message)

    def _choice_name(self, document: JSONObject, choice: Any) -> str:
        """Name a choice by what tells it apart for clients: a constant field, its title, or its type."""
        schema = self._schema(document, choice)
        for name, part in schema.get("properties", {}).items():
            if is_object(part) and "const" in part:
                return f"{name}={json.dumps(part['const'])}"
        if "const" in schema or "enum" in schema:
            return f"one of {_listed(_enumerated(schema))}"
        return str(schema.get("title") or _type_words(schema))

    # Words

    def _schema(self, document: JSONObject, value: Any) -> JSONObject:
        """Follow references, also one that stands in `allOf` because something is said beside it."""
        found = resolved(document, value)
        parts = found.get("allOf", ())
        whole = {key: item for key, item in found.items() if key != "allOf"}
        for part in parts:
            whole = {**self._schema(document, part), **whole}
        return whole

    def _subject(self, name: str) -> str:
        return (
            f"the field {name!r} of {self.message!r}" if name else f"the message {self.message!r}"
        )

    def _change(self, rule: str, change: str, path: Path, message: str) -> Change:
        breaks = "narrowed" if self.direction == "to-server" else "widened"
        return self._told(rule, change in (breaks, "changed"), path, message)

    def _told(self, rule: str, breaking: bool, path: Path, message: str) -> Change:
        text = f"{message[0].upper()}{message[1:]}."
        return Change(pointer(*path), rule, self.direction, breaking, text)


def _identity(schema: Any) -> str:
    """Return what a schema refers to, to find pairs that hold themselves; nothing for one written in place."""
    if not is_object(schema):
        return ""
    if isinstance(schema.get("$ref"), str):
        return str(schema["$ref"])
    return next((_identity(part) for part in schema.get("allOf", ())), "")


def _holds_reference(value: Any) -> bool:
    if is_object(value):
        return "$ref" in value or any(map(_holds_reference, value.values()))
    return is_list(value) and any(map(_holds_reference, value))


def _as_object(schema: Any) -> JSONObject:
    return schema if is_object(schema) else {}


def _choices(schema: JSONObject) -> list[Any]:
    return schema.get("anyOf") or schema.get("oneOf") or [schema]


def _types(schema: JSONObject) -> frozenset[str]:
    kind = schema.get("type")
    if kind is None and (values := _enumerated(schema)):
        return frozenset(_type_of(value) for value in values.values())
    if kind is None:
        return _EVERYTHING
    named = frozenset(kind if is_list(kind) else [kind])
    return named | {"integer"} if "number" in named else named


def _type_of(value: object) -> str:
    names: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return names.get(type(value), "null" if value is None else "object")


def _relation(old: frozenset[str], new: frozenset[str]) -> str:
    return "narrowed" if new < old else "widened" if new > old else "changed"


def _type_words(schema: JSONObject) -> str:
    types = _types(schema)
    if types == _EVERYTHING:
        return "anything"
    return " or ".join(sorted(types - {"integer"} if "number" in types else types))


def _enumerated(schema: JSONObject) -> dict[str, Any] | None:
    if "const" in schema:
        return {json.dumps(schema["const"], sort_keys=True): schema["const"]}
    if "enum" in schema:
        return {json.dumps(value, sort_keys=True): value for value in schema["enum"]}
    return None


def _listed(values: dict[str, Any] | None) -> str:
    return ", ".join(values or ())


def _shown(value: Any) -> str:
    return "not set" if value is None else json.dumps(value, ensure_ascii=False)


def _joined(name: str, field_name: str) -> str:
    return f"{name}.{field_name}" if name else field_name
