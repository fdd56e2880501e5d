"""Values from the environment; README.md describes their variables."""

import os

from django.core.exceptions import ImproperlyConfigured

__all__ = ["flag", "text", "words"]

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def text(name: str, default: str = "") -> str:
    """Return a variable without the space around it; an empty one counts as absent."""
    return os.environ.get(name, "").strip() or default


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def flag(name: str, *, default: bool) -> bool:
    """Return a truth value; ImproperlyConfigured names a variable that is none."""
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(
        f"{name} must be 1, true, yes, on, 0, false, no or off, and is {value!r}."
    )
