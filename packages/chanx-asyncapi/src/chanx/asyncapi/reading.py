"""Documents from files: JSON or YAML, of bounded size, with nothing twice."""

import json
from collections.abc import Hashable, Iterable
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from chanx.asyncapi.errors import InputError
from chanx.asyncapi.shapes import is_list, is_object
from chanx.type_defs import JSONObject

__all__ = ["document_of", "read_document"]

MAX_BYTES = 32 * 1024 * 1024
MAX_VALUES = 2_000_000
"""With YAML's aliases written out: a few lines can stand for more than any memory holds."""
MAX_DEPTH = 200
_VERSIONS = ("3.0.0", "3.1.0")


def read_document(path: Path) -> JSONObject:
    """Read the AsyncAPI 3 document of a file.

    Raises InputError, in one sentence: for a file that is not there or too large, for text that is neither JSON nor
    YAML, for keys that are there twice, for aliases without end, and for another version of AsyncAPI.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(f"{path} has {size} bytes; a document may have {MAX_BYTES}.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text in UTF-8.") from error
    return document_of(text, str(path))


def document_of(text: str, name: str) -> JSONObject:
    """Read the text of a document; `name` is what errors call it, see `read_document()`."""
    try:
        content = _parsed(text, name)
        _check_extent(content, name)
    except RecursionError as error:
        raise InputError(f"{name} is nested too deeply.") from error
    if not is_object(content):
        raise InputError(f"{name} holds no object, so it is no AsyncAPI document.")
    _check_version(content, name)
    return content


def _parsed(text: str, name: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(
                text, object_pairs_hook=_unique_pairs, parse_constant=_refuse_constant
            )
        except json.JSONDecodeError:
            pass  # YAML may begin so too
        except ValueError as error:
            raise InputError(f"{name}: {error}.") from error
    try:
        _check_nesting(text)
        return _jsonable(yaml.load(text, Loader=_Loader))
    except yaml.YAMLError as error:
        raise InputError(f"{name} is neither JSON nor YAML: {_first_line(error)}.") from error


def _check_nesting(text: str) -> None:
    """Refuse depth before the compiled reader sees it: it answers too much of it by ending the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise RecursionError


def _first_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return f"{problem} in line {mark.line + 1}" if mark is not None else problem


def _unique_pairs(pairs: list[tuple[str, Any]]) -> JSONObject:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is there twice in one object")
    return content


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is no number in JSON")


if TYPE_CHECKING:
    _SafeLoader = yaml.SafeLoader
else:
    # The compiled reader where the platform's wheel has it.
    _SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):
    """Refuses what JSON could not say: keys twice, and collections that hold themselves."""

    # Any: PyYAML's own annotation.
    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Read a mapping; a key that is there twice is an error."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and isinstance(key.value, str):
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} is there twice in one object",
                    problem_mark=key.start_mark,
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


# A date in a document is text, as in JSON.
_Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _jsonable(content: Any) -> Any:
    """Spell the keys as JSON has them: `200:` is a number in YAML."""
    return _Keys().as_text(content)


class _Keys:
    """Copies shared parts once, so that aliases stay as small as they were."""

    def __init__(self) -> None:
        self._known: dict[int, Any] = {}

    def as_text(self, value: Any) -> Any:
        if not (is_object(value) or is_list(value)):
            return value
        if id(value) not in self._known:
            self._known[id(value)] = None  # what holds itself is found by the check of the extent
            self._known[id(value)] = self._copy(value)
        elif self._known[id(value)] is None:
            raise yaml.YAMLError("an alias stands inside of what it stands for")
        return self._known[id(value)]

    def _copy(self, value: object) -> Any:
        if is_list(value):
            return [self.as_text(item) for item in value]
        return {
            key if isinstance(key, str) else json.dumps(key, default=str): self.as_text(item)
            for key, item in cast("dict[Any, Any]", value).items()
        }


def _check_extent(content: Any, name: str) -> None:
    waiting, seen = [(content, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if seen > MAX_VALUES:
            raise InputError(
                f"{name} holds more than {MAX_VALUES} values, its aliases written out."
            )
        if depth > MAX_DEPTH:
            raise InputError(f"{name} is nested too deeply.")
        if isinstance(value, float) and not isfinite(value):
            # `.nan` in YAML, and 1e999 in either.
            raise InputError(f"{name}: {value} is no number in JSON.")
        waiting += [(item, depth + 1) for item in _items(value)]


def _items(value: Any) -> Iterable[Any]:
    if is_object(value):
        return value.values()
    return value if is_list(value) else ()


def _check_version(content: JSONObject, name: str) -> None:
    version = content.get("asyncapi")
    if version in _VERSIONS:
        return
    if "openapi" in content or "swagger" in content:
        raise InputError(f"{name} is an OpenAPI document, not an AsyncAPI one.")
    known = " and ".join(_VERSIONS)
    if version is None:
        raise InputError(f"{name} has no 'asyncapi' key, so it is no AsyncAPI document.")
    raise InputError(
        f"{name} is of AsyncAPI {version}; {known} can be read. Convert it first, for example with `asyncapi convert`."
    )
