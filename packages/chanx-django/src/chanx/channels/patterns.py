"""Addresses as clients use them, from the patterns that Django matches."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from django.urls.resolvers import RegexPattern
from django.utils.regex_helper import normalize

from chanx.asyncapi import Parameter

__all__ = ["Address", "address_of"]

_ROUTE_PARAMETER = re.compile(r"<(?:([^>:]+):)?([^>]+)>")
_NORMALIZED_PARAMETER = re.compile(r"%\((\w+)\)s")
_NAMED_GROUP = re.compile(r"\(\?P<(\w+)>")
_PLAIN_GROUP = re.compile(r"\(\?:")


class Address(NamedTuple):
    """A path with `{name}` for each parameter."""

    path: str
    parameters: tuple[Parameter, ...]

    def joined(self, inner: Self) -> Self:
        """Put an inner address behind this one; Channels takes slashes between the two away."""
        outer = self.path if self.path.endswith("/") or not inner.path else f"{self.path}/"
        return type(self)(outer + inner.path, self.parameters + inner.parameters)


# Any: Django has no common base class of patterns in its public types.
def address_of(pattern: Any) -> Address:
    """Return the address that a route's own pattern stands for, without a leading slash."""
    if isinstance(pattern, RegexPattern):
        return _from_regex(str(pattern))
    route = str(pattern)
    found = _ROUTE_PARAMETER.findall(route)
    parameters = tuple(Parameter(name, kind or "str") for kind, name in found)
    return Address(_ROUTE_PARAMETER.sub(r"{\2}", route).lstrip("/"), parameters)


def _from_regex(regex: str) -> Address:
    patterns = _named_groups(regex)
    path = _simplified(regex, patterns)
    names = re.findall(r"{(\w+)}", path)
    parameters = [Parameter(name, f"regex: {patterns.get(name, '...')}") for name in names]
    return Address(path.lstrip("/"), tuple(parameters))


def _simplified(regex: str, groups: dict[str, str]) -> str:
    """Ask Django, which turns expressions into addresses to reverse them, for the fullest one.

    It stumbles over brackets in character classes and over choices, so these are gone by then.
    """
    for name, pattern in groups.items():
        regex = regex.replace(f"(?P<{name}>{pattern})", f"(?P<{name}>.)")
    forms = normalize(_without_choices(regex))
    fullest, _ = max(forms, key=lambda form: len(form[1]))
    return _NORMALIZED_PARAMETER.sub(r"{\1}", fullest)


def _named_groups(regex: str) -> dict[str, str]:
    """Return the expression of each named group, whole, whatever brackets it holds."""
    return {
        group[1]: regex[group.end() : _end_of_group(regex, group.end())]
        for group in _NAMED_GROUP.finditer(regex)
    }


def _without_choices(regex: str) -> str:
    """Take the first of alternatives: `(?:old|new)` -> `(?:old)`."""
    for group in _PLAIN_GROUP.finditer(regex):
        start, end = group.end(), _end_of_group(regex, group.end())
        chosen = _first_choice(regex[start:end])
        if chosen != regex[start:end]:
            return _without_choices(regex[:start] + chosen + regex[end:])
    return _first_choice(regex)


def _first_choice(regex: str) -> str:
    return next(
        (regex[:at] for at, sign, depth in _signs(regex) if sign == "|" and not depth), regex
    )


def _end_of_group(regex: str, start: int) -> int:
    inside = regex[start:]
    return start + next((at for at, _, depth in _signs(inside) if depth < 0), len(inside))


def _signs(regex: str) -> Iterator[tuple[int, str, int]]:
    """Yield position and sign of what is syntax, not text or character class, and how many groups are open."""
    depth, in_class, escaped = 0, False, False
    for position, sign in enumerate(regex):
        if escaped or sign == "\\":
            escaped = not escaped
        elif in_class or sign == "[":
            in_class = sign != "]"
        else:
            depth += (sign == "(") - (sign == ")")
            yield position, sign, depth
