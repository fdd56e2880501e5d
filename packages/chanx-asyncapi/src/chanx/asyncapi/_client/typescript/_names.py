"""Identifiers and text of TypeScript, made from names and text that a document holds."""

import json
import re
from collections.abc import Iterable
from typing import Any

__all__ = ["Names", "camel_case", "comment", "file_stem", "literal", "pascal_case", "property_name"]

_WORD = re.compile(r"[^\W_]+|_+(?=\W|$)")
_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")

_WORDS = """
abstract any arguments as async await bigint boolean break case catch class const continue debugger declare default
delete do else enum eval export extends false finally for from function get if implements import in infer instanceof
interface is keyof let module namespace never new null number object of package private protected public readonly
require return set static string super switch symbol this throw true try type typeof undefined unique unknown using var
void while with yield NaN Infinity globalThis
"""
_RESERVED = frozenset(_WORDS.split())
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(10))}
)


class Names:
    """Gives each thing a name that no other has; where case does not count, without regard to it."""

    def __init__(self, taken: Iterable[str] = (), *, ignore_case: bool = False) -> None:
        self._ignore_case = ignore_case
        self._taken = {self._key(name) for name in taken}

    def new(self, wanted: str) -> str:
        """Return the name, or one like it that is free."""
        name = base = f"{wanted}_" if wanted in _RESERVED else wanted
        number = 2
        while self._key(name) in self._taken:
            name = f"{base}{number}"
            number += 1
        self._taken.add(self._key(name))
        return name

    def _key(self, name: str) -> str:
        return name.casefold() if self._ignore_case else name


def pascal_case(name: str) -> str:
    """Return the name of a type: `Circle-Input` is CircleInput."""
    return _identifier("".join(word[:1].upper() + word[1:] for word in _words(name)), "Type")


def camel_case(name: str) -> str:
    """Return the name of a value: `room_chat` is roomChat."""
    joined = "".join(word[:1].upper() + word[1:] for word in _words(name))
    return _identifier(joined[:1].lower() + joined[1:], "channel")


def file_stem(name: str) -> str:
    """Return a file's name, which every system takes."""
    stem = "_".join(_words(name)) or "channel"
    return f"{stem}_" if stem.lower() in _DEVICES else stem


def _words(name: str) -> list[str]:
    return [word for word in _WORD.findall(name) if word.strip("_")]


def _identifier(joined: str, default: str) -> str:
    if not joined:
        return default
    if joined.isidentifier():
        return joined
    cleaned = "".join(letter for letter in joined if f"a{letter}".isidentifier())
    return cleaned if cleaned.isidentifier() else f"{default}{cleaned}"


def property_name(name: str) -> str:
    """Return a key of an object type, in quotes where it needs them."""
    return name if _PLAIN.fullmatch(name) else json.dumps(name)


# Any: whatever JSON holds.
def literal(value: Any, indent: int | None = None) -> str:
    """Write a value of JSON as an expression; a key `__proto__` would set the prototype, so it is computed."""
    return json.dumps(value, indent=indent).replace('"__proto__":', '["__proto__"]:')


def comment(text: str, indent: str = "") -> str:
    """Return a documentation comment with a line break, or nothing for empty text."""
    lines = [line.rstrip() for line in text.replace("*/", "*\\/").strip().splitlines()]
    if not lines:
        return ""
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    inner = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{inner}{indent} */\n"
