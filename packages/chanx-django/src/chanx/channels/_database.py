"""Keeping database connections fresh without a thread hop for each message.

Channels calls `close_old_connections()` in the thread of the ORM before every dispatch. That hop costs more than
handling a message, and most messages touch no database. Here it is done only when a connection may be open: after one
was opened since the last hop, and then once a second for connections that are kept.
"""

from time import monotonic

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connections
from django.db.backends.signals import connection_created

from chanx.utils.logging import logger

__all__ = ["refresh_connections"]

_INTERVAL = 1.0


class _Watch:
    opened = False
    kept = False
    last = 0.0


def _note_opened(**kwargs: object) -> None:
    _Watch.opened = True


connection_created.connect(_note_opened, dispatch_uid="chanx.channels.database")


async def refresh_connections() -> None:
    """Close connections that are unusable or past their age, if any can be open.

    Where that fails it is logged: the message that comes next may well not need them.
    """
    if not _Watch.opened and not (_Watch.kept and monotonic() - _Watch.last >= _INTERVAL):
        return
    _Watch.opened = False
    _Watch.last = monotonic()
    _Watch.kept = await sync_to_async(_close_old_connections)()


def _close_old_connections() -> bool:
    try:
        close_old_connections()
    except Exception:
        logger.warning("Database connections could not be checked", exc_info=True)
    return any(
        connection.connection is not None for connection in connections.all(initialized_only=True)
    )
