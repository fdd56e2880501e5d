"""Asynchronous permissions, throttles and authentication classes in views of Django REST framework.

The framework calls them without awaiting. A coroutine is true, so every request would be permitted.
"""

from copy import copy
from typing import Any

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
    """Wraps a permission, a throttle or an authenticator, and awaits its answers."""

    def __init__(self, original: Any) -> None:
        self._original = original

    # Code that asks `isinstance()` means the original.
    @property  # type: ignore[misc] # object's can be set
    def __class__(self) -> Any:
        return type(self._original)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        if name not in _QUESTIONS:
            return value

        def ask(*args: Any, **kwargs: Any) -> Any:
            return awaited(value(*args, **kwargs))

        return ask


# Any: permissions, throttles and authenticators have no common base.
def awaiting(policy: Any) -> Any:
    """Wrap `policy`, and each operand of an expression, so that answers are awaited."""
    if isinstance(policy, AND | OR | NOT):
        # The operator takes the answers of its operands without awaiting them.
        policy = copy(policy)
        for name in ("op1", "op2"):
            if hasattr(policy, name):
                setattr(policy, name, awaiting(getattr(policy, name)))
    return _Awaiting(policy)


class AwaitingView(APIView):
    """Awaits the answers of permissions, throttles and authenticators. Goes before the view in the bases."""

    def get_authenticators(self) -> list[Any]:
        """Wrap only asynchronous ones: `type(request.successful_authenticator)` stays what it is for the others."""
        found: list[Any] = super().get_authenticators()
        return [awaiting(one) if iscoroutinefunction(one.authenticate) else one for one in found]

    def get_permissions(self) -> list[Any]:
        """Wrap each of them."""
        return [awaiting(one) for one in super().get_permissions()]

    def get_throttles(self) -> list[Any]:
        """Wrap each of them."""
        return [awaiting(one) for one in super().get_throttles()]


# Any: the class of a view, of which the framework's types want to know the model.
def refuse_async_methods(view: Any, where: str) -> None:
    """Raise TypeError for a view with an async method that the framework would call without awaiting."""
    for name in _SYNC_METHODS:
        if iscoroutinefunction(getattr(view, name, None)):
            raise TypeError(
                f"{view.__name__}.{name}() of {where} must not be async: Django REST framework does not "
                "await it. Make it a plain method; permissions and throttles may be async."
            )
