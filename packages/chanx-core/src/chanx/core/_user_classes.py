"""Which attributes of a class its user sets, and which the library and its framework."""

from collections.abc import Iterator
from functools import cache
from inspect import getattr_static, iscoroutinefunction, unwrap
from types import FunctionType
from typing import Any, NamedTuple

from typing_extensions import Format, get_annotations

__all__ = [
    "Attribute",
    "check_async_hooks",
    "is_library_name",
    "is_of_library",
    "library_method",
    "user_attributes",
]

# The modules of ours and of the frameworks. Test suites of `chanx.testing` are users like any other.
_LIBRARIES = (
    "chanx.core.",
    "chanx.channels.",
    "chanx.fast_channels.",
    "channels.",
    "fast_channels.",
)
_BUILT_IN = ("builtins", "typing")


class Attribute(NamedTuple):
    """An attribute that a user's class sets."""

    holder: type
    name: str
    # Any: whatever was written.
    value: Any

    @property
    def where(self) -> str:
        """Class and attribute, for error messages."""
        return f"{self.holder.__name__}.{self.name}"

    @property
    def function(self) -> Any:
        """The value, without `@classmethod` or `@staticmethod`."""
        return getattr(self.value, "__func__", self.value)

    @property
    def is_computed(self) -> bool:
        """Whether it is a property or another descriptor, which gives its value to an instance."""
        return hasattr(self.value, "__get__")

    def is_in_force(self, owner: type) -> bool:
        """Tell whether it is what instances of the class have under this name."""
        return getattr_static(owner, self.name) is self.value


def is_of_library(cls: type) -> bool:
    """Tell whether a class is ours or the framework's."""
    return cls.__module__ in _BUILT_IN or cls.__module__.startswith(_LIBRARIES)


def user_attributes(owner: type) -> Iterator[Attribute]:
    """Yield what a class and its bases set, without private names and without what the library sets."""
    for base in owner.__mro__:
        if not is_of_library(base):
            for name, value in [*vars(base).items()]:
                if not name.startswith("_"):
                    yield Attribute(base, name, value)


def is_library_name(owner: type, name: str) -> bool:
    """Tell whether the library has an attribute of this name, or sets one on each instance."""
    return any(name in _names(base) for base in owner.__mro__ if is_of_library(base))


def library_method(owner: type, name: str) -> Any:
    """Return the library's function of a name; None without one."""
    for base in owner.__mro__:
        if is_of_library(base) and name in vars(base):
            return Attribute(base, name, vars(base)[name]).function
    return None


def check_async_hooks(owner: type) -> None:
    """Raise TypeError for a plain function in place of one that the library awaits."""
    for attribute in user_attributes(owner):
        function = attribute.function
        if not isinstance(function, FunctionType) or not attribute.is_in_force(owner):
            continue
        if iscoroutinefunction(library_method(owner, attribute.name)) and not _is_awaitable(
            function
        ):
            raise TypeError(
                f"{attribute.where}() must be async: write 'async def {attribute.name}'."
            )


def _is_awaitable(function: FunctionType) -> bool:
    """Tell whether a function is async, wraps one, or says that it returns an awaitable."""
    returned = get_annotations(function, format=Format.FORWARDREF).get("return")
    says_so = "Awaitable" in str(returned) or "Coroutine" in str(returned)
    return says_so or iscoroutinefunction(unwrap(function))


@cache
def _names(base: type) -> frozenset[str]:
    """Return the names that a class of the library sets or annotates."""
    return frozenset([*vars(base), *get_annotations(base, format=Format.FORWARDREF)])
