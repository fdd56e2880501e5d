"""Telling apart what JSON has, and what it does not."""

from math import isfinite
from typing import Any, TypeGuard, cast

from chanx.type_defs import JSONObject

__all__ = ["is_finite", "is_list", "is_object"]


def is_object(value: object) -> TypeGuard[JSONObject]:
    """Tell whether a value is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a value is a JSON array."""
    return isinstance(value, list)


def is_finite(value: object) -> bool:
    """Tell whether a value holds no NaN and no infinity, which JSON does not have."""
    if is_object(value):
        return all(map(is_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(is_finite, cast("list[Any]", value)))
    return not isinstance(value, float) or isfinite(value)
