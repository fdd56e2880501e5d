"""Messages with one thing wrong."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

from chanx.testing.contract.document import MessageSchema, followed
from chanx.type_defs import JSONObject

__all__ = ["CANARY", "Mutation", "mutations"]

CANARY = "canary-7f3a9c"
"""What the wrong part of a message says: it must not come back."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mutation:
    """A message with one thing wrong, and which."""

    what: str
    message: JSONObject


def mutations(schema: MessageSchema, message: JSONObject) -> Iterator[Mutation]:
    """Yield the message with one thing wrong at a time; some may still be allowed by a lenient server."""
    yield Mutation("an unknown action", {**message, schema.key: CANARY})
    yield Mutation(
        "no action", {name: value for name, value in message.items() if name != schema.key}
    )
    document = {"components": schema.components}
    for path, part in _places(document, schema.schema, message, ()):
        if path and path != (schema.key,):
            yield from _wrong_at(message, path, part)


def _places(
    document: JSONObject, schema: Any, value: Any, path: Path
) -> Iterator[tuple[Path, JSONObject]]:
    """Yield every place of a value that the schema says something about."""
    schema = _single(document, schema)
    if schema is None:
        return
    yield path, schema
    if isinstance(value, dict):
        properties: JSONObject = schema.get("properties", {})
        for name, inner in cast(JSONObject, value).items():
            part = properties.get(name, schema.get("additionalProperties"))
            yield from _places(document, part, inner, (*path, name))
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, inner in enumerate(cast(Iterable[Any], value)):
            yield from _places(document, schema["items"], inner, (*path, index))


def _single(document: JSONObject, schema: Any) -> JSONObject | None:
    """Return the schema itself, where it is one and no choice."""
    while isinstance(schema, dict) and ("$ref" in schema or "allOf" in schema):
        schema = cast(JSONObject, schema)
        schema = followed(document, schema["$ref"]) if "$ref" in schema else schema["allOf"][0]
    return cast(JSONObject, schema) if isinstance(schema, dict) and schema else None


def _wrong_at(message: JSONObject, path: Path, schema: JSONObject) -> Iterator[Mutation]:
    where = ".".join(map(str, path))
    # No server takes an object for text or a number, however lenient it is; nor text for a list or an object.
    is_container = schema.get("type") in ("object", "array")
    yield Mutation(
        f"another type at {where}",
        _with(message, path, CANARY if is_container else {CANARY: CANARY}),
    )
    if isinstance(path[-1], str):
        yield Mutation(f"nothing at {where}", _without(message, path))
    if "maxLength" in schema:
        text = CANARY.ljust(schema["maxLength"] + 1, "x")
        yield Mutation(f"a text that is too long at {where}", _with(message, path, text))
    if "enum" in schema or "const" in schema:
        yield Mutation(f"an unknown value at {where}", _with(message, path, CANARY))
    if "maximum" in schema:
        yield Mutation(
            f"a number that is too large at {where}", _with(message, path, schema["maximum"] + 1)
        )
    if "minimum" in schema:
        yield Mutation(
            f"a number that is too small at {where}", _with(message, path, schema["minimum"] - 1)
        )


def _with(message: JSONObject, path: Path, value: Any) -> JSONObject:
    changed = deepcopy(message)
    _holder(changed, path)[path[-1]] = value
    return changed


def _without(message: JSONObject, path: Path) -> JSONObject:
    changed = deepcopy(message)
    del _holder(changed, path)[path[-1]]
    return changed


def _holder(message: JSONObject, path: Path) -> Any:
    holder: Any = message
    for step in path[:-1]:
        holder = holder[step]
    return holder
