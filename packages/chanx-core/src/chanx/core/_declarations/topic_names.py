"""The names of the topics of one class, and the parameters in them."""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

__all__ = ["InvalidTopicError", "TopicNames"]

_PARAMETER = re.compile(r"\{([^{}]*)\}")
_IN_NAME = inspect.Parameter.VAR_KEYWORD


class InvalidTopicError(ValueError):
    """A name fits the pattern, and one of its parameters does not fit its annotation."""


class TopicNames:
    """Matches names with a pattern such as `discussion:{pk}`; a parameter stands for anything without a colon.

    The annotations of `authorize` say what the parameters are. Raises TypeError where the two do not go together.
    """

    def __init__(self, owner: str, pattern: str, authorize: Callable[..., Any]) -> None:
        self.pattern = pattern
        self._owner = owner
        self._authorize = authorize
        self.parameters: tuple[str, ...] = tuple(_PARAMETER.findall(pattern))
        self._check()
        escaped = "".join(
            f"(?P<{part}>[^:]+)" if is_parameter else re.escape(part)
            for is_parameter, part in _parts(pattern)
        )
        self._match = re.compile(escaped).fullmatch
        self._model: type[BaseModel] | None = None

    def _check(self) -> None:
        where = f"{self._owner}.pattern"
        for name in self.parameters:
            if not name.isidentifier() or self.parameters.count(name) > 1:
                raise TypeError(
                    f"{where} = {self.pattern!r} has the parameter {name!r}: parameters are different Python names."
                )
        if "{" in _PARAMETER.sub("", self.pattern) or "}" in _PARAMETER.sub("", self.pattern):
            raise TypeError(f"{where} = {self.pattern!r} has a brace that belongs to no parameter.")
        try:
            inspect.signature(self._authorize).bind(None, **dict.fromkeys(self.parameters, ""))
        except TypeError as error:
            given = ", ".join(("self", *(f"{name}: str" for name in self.parameters)))
            raise TypeError(
                f"{self._owner}.authorize() does not take the parameters of {self.pattern!r} ({error}): "
                f"write 'async def authorize({given}) -> bool'."
            ) from None

    def match(self, name: str) -> dict[str, Any] | None:
        """Return the parameters of a name; None for a name of another pattern.

        Raises InvalidTopicError for a parameter that does not fit its annotation.
        """
        found = self._match(name)
        if found is None:
            return None
        if not self.parameters:
            return {}
        try:
            parameters = self.model.model_validate(found.groupdict())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise InvalidTopicError(
                f"Invalid {first['loc'][0]} in the topic: {first['msg']}"
            ) from None
        return dict(parameters)

    def fill(self, values: Mapping[str, Any]) -> str:
        """Return the name with these values. Raises ValueError where one is missing, or cannot stand in a name."""
        missing = [name for name in self.parameters if name not in values]
        if missing:
            raise ValueError(
                f"default_topic pattern {self.pattern!r} needs URL parameters {missing} that this route does not "
                f"provide (got {sorted(values)})"
            )
        name = _PARAMETER.sub(lambda found: str(values[found[1]]), self.pattern)
        if self._match(name) is None:
            raise ValueError(f"URL parameters of this route do not make a topic: {name!r}")
        return name

    @property
    def model(self) -> type[BaseModel]:
        """A model of the parameters, made when the first name is matched: every annotation is known by then."""
        if self._model is None:
            hints = get_type_hints(self._authorize, include_extras=True)
            fields: dict[str, Any] = {name: (hints.get(name, str), ...) for name in self.parameters}
            self._model = create_model(
                f"{self._owner}Parameters",
                __config__=ConfigDict(arbitrary_types_allowed=True),
                **fields,
            )
        return self._model


def _parts(pattern: str) -> list[tuple[bool, str]]:
    """Split a pattern into literal texts and names of parameters."""
    return [(number % 2 == 1, part) for number, part in enumerate(_PARAMETER.split(pattern))]
