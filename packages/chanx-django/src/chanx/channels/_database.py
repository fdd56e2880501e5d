"""Keeping database connections fresh, without a thread hop for each message and without ending a transaction.

Channels calls `close_old_connections()` in the thread of the ORM before every dispatch. That hop costs more than
handling a message, and most messages touch no database. Here it is done only when a connection may be open: after one
was opened since the last hop, and for connections that are kept once a second, and when one of them has failed.

The hop of Channels also closes a connection that is inside a transaction. A transaction that is open at a hop is one
of a test case, because every other one ends within its hop. Here its connection stays open.
"""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import Any, ClassVar, ParamSpec, TypeVar
from weakref import WeakSet

from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from chanx.utils.logging import logger

__all__ = ["atomic_request", "close_old_connections", "in_database_thread", "refresh_connections"]

_INTERVAL = 1.0

P = ParamSpec("P")
R = TypeVar("R")


class _Watch:
    opened = False
    kept: ClassVar[WeakSet[BaseDatabaseWrapper]] = WeakSet()
    last = 0.0

    @classmethod
    def is_due(cls) -> bool:
        """Tell whether a hop could find a connection to close."""
        if cls.opened or not cls.kept:
            return cls.opened
        is_time = monotonic() - cls.last >= _INTERVAL
        return is_time or any(connection.errors_occurred for connection in cls.kept)


def _note_opened(**kwargs: object) -> None:
    _Watch.opened = True


connection_created.connect(_note_opened, dispatch_uid="chanx.channels.database")


async def refresh_connections() -> None:
    """Close connections that are unusable or past their age, if any can be open.

    Where that fails it is logged: the message that comes next may well not need them.
    """
    if not _Watch.is_due():
        return
    _Watch.opened = False
    _Watch.last = monotonic()
    _Watch.kept = await sync_to_async(_close_old_connections)()


def close_old_connections() -> None:
    """Close the connections of this thread that are unusable or past their age, unless a transaction is open."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


async def in_database_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function in the thread of the ORM, with fresh connections before it and none past their age after it."""

    def call() -> R:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await sync_to_async(call)()


def _close_old_connections() -> WeakSet[BaseDatabaseWrapper]:
    """Return what stays open."""
    try:
        close_old_connections()
    except Exception:
        logger.warning("Database connections could not be checked", exc_info=True)
    found = connections.all(initialized_only=True)
    return WeakSet(connection for connection in found if connection.connection is not None)


# Any: a view is called with whatever its route captures.
@contextmanager
def atomic_request(view: Callable[..., Any]) -> Generator[None]:
    """Do as around a view: one transaction in each database with ATOMIC_REQUESTS."""
    exempt: set[str] = getattr(view, "_non_atomic_requests", set())
    with ExitStack() as stack:
        for alias, options in connections.settings.items():
            if options["ATOMIC_REQUESTS"] and alias not in exempt:
                stack.enter_context(transaction.atomic(using=alias))
        yield
