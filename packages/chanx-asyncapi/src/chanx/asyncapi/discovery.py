"""How commands learn which consumers an application serves: the integrations that are installed tell them.

An integration declares a function in the entry-point group `chanx.asyncapi`. It is given what the user named, and
returns None where that is none of its own.
"""

from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import NamedTuple, cast

from chanx.asyncapi.options import DocumentOptions
from chanx.asyncapi.routes import ConsumerRoute

__all__ = ["ENTRY_POINTS", "Application", "Discover", "Target", "discover"]

ENTRY_POINTS = "chanx.asyncapi"


class Target(NamedTuple):
    """What a user named: `module:app`, or a module alone; and the object that is behind the name."""

    name: str
    value: object


class Application(NamedTuple):
    """What a document is made of."""

    routes: tuple[ConsumerRoute, ...]
    options: DocumentOptions


Discover = Callable[[Target], Application | None]


def discover(target: Target) -> Application | None:
    """Ask the integrations; the first that finds consumers answers, else the first that knows such an object."""
    found = [application for ask in _integrations() if (application := ask(target)) is not None]
    return next((item for item in found if item.routes), found[0] if found else None)


def _integrations() -> Iterator[Discover]:
    for entry_point in sorted(entry_points(group=ENTRY_POINTS), key=lambda item: item.name):
        yield cast(Discover, entry_point.load())
