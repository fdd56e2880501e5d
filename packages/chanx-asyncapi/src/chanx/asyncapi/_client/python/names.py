"""Identifiers of Python from names of a document, whatever these hold."""

import builtins
import keyword
import re
import typing
import unicodedata
from collections.abc import Collection

import pydantic

__all__ = ["RESERVED_CLASSES", "Identifiers", "class_name", "snake_name"]

_WORD = re.compile(r"[A-Za-z0-9]+")
_BEFORE_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# What modules of generated models import or what the generator of models may define itself.
RESERVED_CLASSES = frozenset({
    *dir(builtins), *dir(typing), "AwareDatetime", "BaseModel", "ChanxRoot", "ConfigDict", "Decimal", "EmailStr",
    "Enum", "Field", "IncomingMessage", "Model", "NaiveDatetime", "OutgoingMessage", "Path", "RootModel",
    "UUID", *dir(pydantic),
})  # fmt: skip


def _words(text: str) -> list[str]:
    """Return the words of a name in ASCII: accents are dropped, other letters become their numbers."""
    plain = "".join(_ascii(character) for character in unicodedata.normalize("NFKD", text))
    return _WORD.findall(plain)


def _ascii(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.combining(character):
        return ""
    return f"U{ord(character):X}" if character.isalnum() else "_"


def class_name(text: str) -> str:
    """Return a name for a class: `chat-room` -> `ChatRoom`."""
    name = "".join(word[0].upper() + word[1:] for word in _words(text)) or "Unnamed"
    return f"N{name}" if name[0].isdigit() else name


def snake_name(text: str) -> str:
    """Return a name for a function, a parameter or a module: `chatRoom` -> `chat_room`."""
    words = [part for word in _words(text) for part in _BEFORE_CAPITAL.split(word)]
    name = "_".join(words).lower() or "unnamed"
    return f"n{name}" if name[0].isdigit() else name


class Identifiers:
    """Names of one scope, each given out once, whatever the file system thinks of upper case."""

    def __init__(self, reserved: Collection[str] = ()) -> None:
        self._reserved = frozenset(reserved)
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """Return the name; with an underscore or a number where it is taken, reserved or a keyword."""
        if keyword.iskeyword(name) or name in self._reserved:
            name = f"{name}_"
        number, free = 1, name
        while free.casefold() in self._taken or free in self._reserved:
            number += 1
            free = f"{name.rstrip('_')}_{number}"
        self._taken.add(free.casefold())
        return free
