"""Telling JSON's containers apart."""

from typing import Any, TypeGuard

from chanx.core import _guard as _guard
from chanx.type_defs import JSONObject

__all__ = ["is_list", "is_object"]


def is_object(value: object) -> TypeGuard[JSONObject]:
    """Tell whether a value is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a value is a JSON array."""
    return isinstance(value, list)
