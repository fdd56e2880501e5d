"""From what a user names on the command line to an application."""

import inspect
import os
import sys
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from chanx.asyncapi.discovery import Application, Target, discover
from chanx.asyncapi.errors import InputError
from chanx.asyncapi.options import DocumentOptions, used_options
from chanx.asyncapi.shapes import is_object

__all__ = ["find_application", "in_words", "with_config"]


def find_application(name: str) -> Application:
    """Import what `name` says (`module:app`, `module:create_app()`, a Django settings module) and look into it.

    Raises InputError, in one sentence, for whatever cannot be found, imported or understood.
    """
    target = Target(name, _named(name))
    try:
        found = discover(target)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"Cannot look into {name}: {in_words(error)}.") from error
    if found is None:
        raise InputError(
            f"{name} is no application that an installed integration knows: name an ASGI application as module:app, "
            "or a Django settings module, and install chanx-fastchannels or chanx-django."
        )
    return found


def with_config(options: DocumentOptions, name: str) -> DocumentOptions:
    """Let a configuration (`module:asyncapi_conf`, an AsyncAPIConfig) win over what the application says."""
    config = _named(name)
    if not is_object(config):
        raise InputError(f"{name} is no AsyncAPIConfig but {type(config).__name__}.")
    try:
        return replace(options, **used_options(config))
    except TypeError as error:
        raise InputError(f"{name} is no AsyncAPIConfig: {in_words(error)}.") from error


# Any: whatever a module holds.
def _named(name: str) -> Any:
    module_name, colon, attribute = name.partition(":")
    module = _imported(module_name)
    if not colon:
        return module
    return _attribute(module, attribute, name)


def _imported(name: str) -> Any:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as servers do: the project is where the command runs
    try:
        return import_module(name)
    except Exception as error:
        raise InputError(f"Cannot import {name!r}: {in_words(error)}.") from error


def _attribute(module: Any, attribute: str, name: str) -> Any:
    plain = attribute.removesuffix("()")
    value = module
    for part in plain.split("."):
        if not hasattr(value, part):
            close = get_close_matches(part, dir(value), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InputError(f"{module.__name__} has no {part!r}.{hint}")
        value = getattr(value, part)
    if plain != attribute:
        return _made(value, name)
    if inspect.isfunction(value) and not inspect.iscoroutinefunction(value):
        raise InputError(f"{name} is a function: write {name}() if it returns the application.")
    return value


def _made(factory: Any, name: str) -> Any:
    try:
        return factory()
    except Exception as error:
        raise InputError(f"Calling {name} failed: {in_words(error)}.") from error


def in_words(error: Exception) -> str:
    """Write an exception in one line, without a full stop."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}".removesuffix(": ").removesuffix(".")
