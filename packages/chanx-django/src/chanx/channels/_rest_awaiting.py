"""Asynchronous permissions, throttles and authentication classes in views of Django REST framework.

The framework calls them without awaiting. A coroutine is true, so every request would be permitted.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, cast

from asgiref.sync import iscoroutinefunction
from rest_framework.permissions import AND, NOT, OR
from rest_framework.views import APIView

from chanx.channels._awaiting import awaited

__all__ = ["AwaitingView", "awaiting", "refuse_async_methods"]

_QUESTIONS = frozenset(
    {
        "has_permission",
        "has_object_permission",
        "allow_request",
        "wait",
        "authenticate",
        "authenticate_header",
    }
)
# Methods of a view that the framework calls without awaiting: an async one would be skipped.
_SYNC_METHODS = (
    "initial",
    "perform_authentication",
    "check_permissions",
    "check_object_permissions",
    "check_throttles",
    "permission_denied",
    "throttled",
    "get_authenticators",
    "get_permissions",
    "get_throttles",
    "get_queryset",
    "get_object",
)


class _Awaiting:
    """Wraps a permission, a throttle or an authenticator, awaits its answers and keeps the last one."""

    def __init__(self, original: Any) -> None:
        self._original = original
        self._answer: bool | None = None

    # Code that asks `isinstance()` means the original.
    @property  # type: ignore[misc] # object's can be set
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return type(cast("object", self._original))

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        if name not in _QUESTIONS:
            return value

        def ask(*args: Any, **kwargs: Any) -> Any:
            answer = awaited(value(*args, **kwargs))
            self._answer = bool(answer)
            return answer

        return ask

    def _refusing(self, *, wanted: bool) -> "Iterator[_Awaiting]":
        """Yield this permission if its last answer is no, and yes is wanted."""
        if wanted and self._answer is False:
            yield self


class _AwaitingExpression(_Awaiting):
    """Wraps an expression of permissions, and has the message and the code of the operand that refused.

    Where several alternatives refused, these are those of the first that has any. An operand of `~` has allowed what
    it stands for, so its message would say the contrary: it has none.
    """

    def __init__(self, original: Any, operands: "Sequence[_Awaiting]") -> None:
        super().__init__(original)
        self._operands = operands

    @property
    def message(self) -> Any:
        """The message of the operand that refused; None if it has none."""
        return self._words[0]

    @property
    def code(self) -> Any:
        """The code of the operand that refused; None if it has none."""
        return self._words[1]

    @property
    def _words(self) -> tuple[Any, Any]:
        for one in self._refusing(wanted=True):
            words = getattr(one, "message", None), getattr(one, "code", None)
            if words != (None, None):
                return words
        return None, None

    def _refusing(self, *, wanted: bool) -> "Iterator[_Awaiting]":
        """Yield the permissions by which the last answer of the expression is not what is wanted."""
        if self._answer in (None, wanted):
            return
        below = not wanted if isinstance(self._original, NOT) else wanted
        for operand in self._operands:
            yield from operand._refusing(wanted=below)


# Any: permissions, throttles and authenticators have no common base.
def awaiting(policy: Any) -> Any:
    """Wrap `policy`, and each operand of an expression, so that answers are awaited."""
    if not isinstance(policy, AND | OR | NOT):
        return _Awaiting(policy)
    # The operator takes the answers of its operands without awaiting them.
    policy = copy(policy)
    operands: list[Any] = []
    for name in ("op1", "op2"):
        if hasattr(policy, name):
            operands.append(awaiting(getattr(policy, name)))
            setattr(policy, name, operands[-1])
    return _AwaitingExpression(policy, operands)


class AwaitingView(APIView):
    """Awaits the answers of permissions, throttles and authenticators. Goes before the view in the bases."""

    def get_authenticators(self) -> list[Any]:
        """Wrap only asynchronous ones: `type(request.successful_authenticator)` stays what it is for the others."""
        found: list[Any] = super().get_authenticators()
        return [awaiting(one) if _is_async(one.authenticate) else one for one in found]

    def get_permissions(self) -> list[Any]:
        """Wrap each of them."""
        return [awaiting(one) for one in super().get_permissions()]

    def get_throttles(self) -> list[Any]:
        """Wrap each of them."""
        return [awaiting(one) for one in super().get_throttles()]


def _is_async(function: object) -> bool:
    # Deprecated is asyncio's, which is what asgiref's stands for before Python 3.12.
    return iscoroutinefunction(function)  # pyright: ignore[reportDeprecated]


# Any: the class of a view, of which the framework's types want to know the model.
def refuse_async_methods(view: Any, where: str) -> None:
    """Raise TypeError for a view with an async method that the framework would call without awaiting."""
    for name in _SYNC_METHODS:
        if _is_async(getattr(view, name, None)):
            raise TypeError(
                f"{view.__name__}.{name}() of {where} must not be async: Django REST framework does not "
                "await it. Make it a plain method; permissions and throttles may be async."
            )
