"""References inside of a document."""

from collections.abc import Iterator
from typing import Any

from chanx.asyncapi.shapes import is_list, is_object
from chanx.asyncapi.validation._problem import Problem, pointer
from chanx.type_defs import JSONObject

__all__ = ["broken_references", "resolved", "target"]

_MISSING = object()


def broken_references(document: JSONObject) -> Iterator[Problem]:
    """Yield references that lead nowhere, outside of the document, or in a circle."""
    for path, reference in _references(document, ()):
        problem = _problem_of(document, reference)
        if problem is not None:
            yield Problem(pointer(*path), *problem)


def _problem_of(document: JSONObject, reference: str) -> tuple[str, str] | None:
    seen = [reference]
    while True:
        if not reference.startswith("#"):
            return (
                "reference",
                f"The reference {reference!r} leads to another document, which is not read.",
            )
        found = target(document, reference)
        if found is _MISSING:
            return "reference", f"The reference {reference!r} leads nowhere."
        following = found.get("$ref") if is_object(found) else None
        if not isinstance(following, str):
            return None
        if following in seen:
            return "cycle", f"The references {' -> '.join([*seen, following])} go in a circle."
        seen.append(following)
        reference = following


def target(document: JSONObject, reference: str) -> Any:
    """Return what a reference inside of the document points to; a value that equals nothing where there is none."""
    found: Any = document
    for part in reference.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if is_list(found) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif is_object(found) and name in found:
            found = found[name]
        else:
            return _MISSING
    return found


def resolved(document: JSONObject, value: Any) -> JSONObject:
    """Follow references to the object they mean; an empty one where there is none. References must not be broken."""
    while is_object(value) and isinstance(value.get("$ref"), str):
        value = target(document, value["$ref"])
    return value if is_object(value) else {}


def _references(
    value: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if is_object(value):
        if isinstance(value.get("$ref"), str):
            yield path, value["$ref"]
        for name, item in value.items():
            if name not in _DATA:
                yield from _references(item, (*path, name))
    elif is_list(value):
        for index, item in enumerate(value):
            yield from _references(item, (*path, index))


# What stands there is somebody's data, also where it looks like a reference.
_DATA = frozenset({"const", "default", "enum", "example", "examples"})
