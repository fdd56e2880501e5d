"""The integration of a class that belongs to no framework yet."""

import inspect
from collections.abc import Callable
from typing import Any, cast

from chanx.core.handlers import MessageGuard, ParameterResolver
from chanx.core.integration import Integration

__all__ = ["UNBOUND"]


class _Unbound(Integration):
    """Takes guards and parameters as they are: they are checked with the consumers that have the topic."""

    def as_guard(self, candidate: object, where: str) -> MessageGuard:
        return cast(MessageGuard, candidate)

    def parameter_resolver(
        self, function: Callable[..., Any], parameters: list[inspect.Parameter], where: str
    ) -> ParameterResolver | None:
        return None


UNBOUND = _Unbound()
