"""Addresses as clients use them, from the patterns that Django matches."""

import re
from typing import Any, NamedTuple, Self

from django.urls.resolvers import RegexPattern
from django.utils.regex_helper import normalize

from chanx.asyncapi import Parameter
from chanx.core import _guard as _guard

__all__ = ["Address", "address_of"]

_ROUTE_PARAMETER = re.compile(r"<(?:([^>:]+):)?([^>]+)>")
_NORMALIZED_PARAMETER = re.compile(r"%\((\w+)\)s")
_NAMED_GROUP = re.compile(r"\(\?P<(\w+)>")


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
    """Ask Django, which turns expressions into addresses to reverse them, for the fullest one."""
    try:
        forms = normalize(regex)
    except NotImplementedError:  # a choice between expressions: only its groups can be named
        for name, pattern in groups.items():
            regex = regex.replace(f"(?P<{name}>{pattern})", f"{{{name}}}")
        return regex.removeprefix("^").removesuffix("$")
    fullest, _ = max(forms, key=lambda form: len(form[1]))
    return _NORMALIZED_PARAMETER.sub(r"{\1}", fullest)


def _named_groups(regex: str) -> dict[str, str]:
    """Return the expression of each named group, whole, whatever brackets it holds."""
    return {
        group[1]: regex[group.end() : _end_of_group(regex, group.end())]
        for group in _NAMED_GROUP.finditer(regex)
    }


def _end_of_group(regex: str, start: int) -> int:
    depth, in_class = 1, False
    position = start
    while position < len(regex):
        character = regex[position]
        if character == "\\":
            position += 1
        elif in_class or character == "[":
            in_class = character != "]"
        else:
            depth += (character == "(") - (character == ")")
        if depth == 0:
            return position
        position += 1
    return position
