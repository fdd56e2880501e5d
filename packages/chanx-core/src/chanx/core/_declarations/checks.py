"""Mistakes in what a consumer class sets: without a check they have no effect, or another one than was meant."""

from abc import ABC
from collections.abc import Callable, Collection
from inspect import isabstract
from typing import Any, NamedTuple

from chanx.core._user_classes import (
    Attribute,
    check_async_hooks,
    is_library_name,
    user_attributes,
)
from chanx.core.handlers import handler_of, hidden_handler, is_message_type
from chanx.core.integration import Integration
from chanx.core.limits import Limits
from chanx.core.origin import check_policy
from chanx.utils.text import is_text_list

__all__ = ["check_declarations"]

_OF_TEXTS = ("groups", "extra_groups", "log_ignored_actions")
_OF_MESSAGES = ("emits", "passthrough_events")
# Attributes of consumers in earlier versions.
# Names that are the user's where the feature is not used.
_OPTIONAL = frozenset({"request", "requests", "topics", "default_topic", "subscriptions"})
_RESERVED = frozenset({"codec", "config", "connection", "shortcuts", "wire_format"})


def check_declarations(
    owner: type, integration: Integration, authenticators: type[ABC] | None
) -> None:
    """Raise TypeError with class, attribute and cure for what a consumer class sets wrong.

    `authenticators` is the base class of all authenticators; None where a class has none.
    """
    for attribute in user_attributes(owner):
        _check_spelling(integration, attribute)
        _check_collection(attribute)
        if attribute.is_in_force(owner):
            _check_handler(owner, attribute)
        if attribute.name == "allowed_origins":
            check_policy(attribute.function, attribute.where)
        if attribute.name == "authenticator_class" and authenticators is not None:
            _check_authenticator(attribute, authenticators)
    check_async_hooks(owner)


# Misspelt options


class _Misspelling(NamedTuple):
    """What was probably meant, and which values say so: the name alone may be an attribute of the user's own."""

    cure: str
    fits: Callable[[Integration, object], bool]
    is_list: bool = False


def _is_authenticator(integration: Integration, item: object) -> bool:
    return isinstance(item, type) or hasattr(item, "authenticate")


def _is_guard(integration: Integration, item: object) -> bool:
    try:
        integration.as_guard(item, "")
    except (TypeError, ImportError):
        return False
    return True


def _is_message_type(integration: Integration, item: object) -> bool:
    return is_message_type(item)


def _is_text(integration: Integration, item: object) -> bool:
    return isinstance(item, str)


def _is_limits(integration: Integration, item: object) -> bool:
    return isinstance(item, Limits)


_AUTHENTICATOR = _Misspelling("write 'authenticator_class = ...'", _is_authenticator)
_GUARDS = _Misspelling("guards belong to handlers, write '@ws_handler(guards=[...])'", _is_guard)

_MISSPELT = {
    "auth_class": _AUTHENTICATOR,
    "authentication_class": _AUTHENTICATOR,
    "authenticator": _AUTHENTICATOR,
    "authenticator_classes": _AUTHENTICATOR,
    "authenticators": _AUTHENTICATOR,
    "guard": _GUARDS,
    "guards": _GUARDS,
    "allowed_origin": _Misspelling("write 'allowed_origins = [...]'", _is_text),
    "channel_layer": _Misspelling("write 'channel_layer_alias = ...'", _is_text),
    "emit": _Misspelling("write 'emits = [...]'", _is_message_type),
    # A single text may well be the user's own: the name of the one group that the handlers send to.
    "extra_group": _Misspelling("write 'extra_groups = [...]'", _is_text, is_list=True),
    "group": _Misspelling("write 'groups = [...]'", _is_text, is_list=True),
    "limit": _Misspelling("write 'limits = ...'", _is_limits),
    "passthrough_event": _Misspelling("write 'passthrough_events = [...]'", _is_message_type),
}


def _check_spelling(integration: Integration, attribute: Attribute) -> None:
    misspelling = _MISSPELT.get(attribute.name)
    if misspelling is None:
        return
    is_list = isinstance(attribute.value, list | tuple | set | frozenset)
    items: Collection[Any] = attribute.value if is_list else [attribute.value]
    if not is_list and misspelling.is_list:
        return
    if items and all(misspelling.fits(integration, item) for item in items):
        raise TypeError(
            f"{attribute.where} is not an option of consumers and would have no effect: {misspelling.cure}."
        )


def _check_authenticator(attribute: Attribute, base: type[ABC]) -> None:
    """Refuse an instance, a foreign class, and a class without `authenticate()`."""
    where, value, shown = attribute.where, attribute.value, _shown(attribute.value)
    if value is None or isinstance(value, property):
        return
    if isinstance(value, base):
        raise TypeError(f"{where} is an instance: set the class, {type(value).__name__}.")
    if not isinstance(value, type) or not issubclass(value, base):
        raise TypeError(f"{where} must be a subclass of {base.__name__}, and is {shown}.")
    if isabstract(value):
        missing = ", ".join(f"{name}()" for name in sorted(value.__abstractmethods__))
        raise TypeError(f"{where} is {shown}, which has no {missing}: write it.")


# Collections


def _check_collection(attribute: Attribute) -> None:
    """Refuse a text, which would be read letter by letter, and anything but a collection."""
    name, value, shown = attribute.name, attribute.value, _shown(attribute.value)
    if name not in (*_OF_TEXTS, *_OF_MESSAGES) or value is None or attribute.is_computed:
        return
    if isinstance(value, str | bytes | type) or not isinstance(value, Collection):
        raise TypeError(
            f"{attribute.where} must be a list, and is {shown}: write '{name} = [{shown}]'."
        )
    if name in _OF_TEXTS and not is_text_list(attribute.value):
        raise TypeError(f"{attribute.where} must be a list of strings, and is {value!r}.")


def _shown(value: object) -> str:
    return value.__name__ if isinstance(value, type) else repr(value)


# Handlers


def _check_handler(owner: type, attribute: Attribute) -> None:
    """Refuse a handler under a name of the library's, and one that a decorator above it hides."""
    if handler_of(attribute.value) is not None:
        if attribute.name in _RESERVED or (
            attribute.name not in _OPTIONAL and is_library_name(owner, attribute.name)
        ):
            raise TypeError(
                f"{attribute.where}() is a handler, but {attribute.name!r} is reserved on consumers: "
                f"rename the method, for example to handle_{attribute.name}()."
            )
        return
    hidden = hidden_handler(attribute.value)
    if hidden is not None:
        raise TypeError(
            f"{attribute.where}() would not be a handler: the decorator above @{hidden.kind}_handler hides it. "
            f"Write @{hidden.kind}_handler on top, or use functools.wraps() in that decorator."
        )
