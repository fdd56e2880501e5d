"""Texts: snake case and camel case, and lists of texts."""

import re
from collections.abc import Collection
from typing import TypeGuard, cast

__all__ = ["camel_case", "is_text_list", "snake_case"]

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_UNDERSCORED = re.compile(r"(?<=[^_])_+([a-zA-Z0-9])")


def snake_case(name: str) -> str:
    """`MyWebSocket` -> `my_web_socket`, `HTTPServer` -> `http_server`."""
    return _WORD_START.sub("_", name).lower()


def camel_case(name: str) -> str:
    """`user_name` -> `userName`; leading and trailing underscores stay."""
    return _UNDERSCORED.sub(lambda match: match.group(1).upper(), name)


def is_text_list(value: object) -> TypeGuard[Collection[str]]:
    """Tell whether a value is a collection of texts, and no text itself."""
    if not isinstance(value, Collection) or isinstance(value, str):
        return False
    return all(isinstance(item, str) for item in cast("Collection[object]", value))
