"""What log records say about the connection and the message that the running code handles.

Contexts are copied into tasks and sockets that outlive their connection, so nothing here refers to a consumer or its
scope.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from random import getrandbits
from typing import Any
from urllib.parse import quote

from chanx.type_defs import Scope
from chanx.utils.scope import scope_user

__all__ = ["connection_fields", "current", "current_fields", "update_user"]

# Characters: a client chooses its path.
_MAX_LENGTH = 200
# Characters of a path that are not escaped, RFC 3986; a line break is.
_IN_PATHS = "/:@!$&'()*+,;=~"
# Where users of the common frameworks have what names them.
_NAMES = ("pk", "id", "username")


# The fields of a connection; the number of the message that is handled, 0 outside of messages; and its action. A tuple,
# because one is made for each message, while most logs are filtered out.
_Current = tuple[dict[str, Any], int, Any]

_NAMES_OF_FIELDS = ("consumer", "path", "user", "connection_id", "message_id", "action")
_OUTSIDE: _Current = (dict.fromkeys(_NAMES_OF_FIELDS), 0, None)
current: ContextVar[_Current] = ContextVar("chanx_log_context", default=_OUTSIDE)


def current_fields() -> Mapping[str, Any]:
    """Return every field; those that are not known here are None."""
    connection, number, action = current.get()
    if not number:
        return connection
    message_id = f"{connection['connection_id']}-{number}"
    return {**connection, "message_id": message_id, "action": action}


@contextmanager
def connection_fields(consumer: type, scope: Scope) -> Generator[None]:
    """Name a connection in what is logged meanwhile, and in every context that is copied from this one."""
    before = current.get()
    fields = {
        **_OUTSIDE[0],
        "consumer": consumer.__name__,
        "path": quote(str(scope.get("path", "")), _IN_PATHS, errors="replace")[:_MAX_LENGTH],
        "user": _user_name(scope),
        "connection_id": f"{getrandbits(64):016x}",
    }
    current.set((fields, 0, None))
    try:
        yield
    finally:
        # Not by its token: a server may close its application from another context.
        current.set(before)


def update_user(scope: Scope) -> None:
    """Name the user that authentication has found."""
    fields, _, _ = current.get()
    fields["user"] = _user_name(scope)


def _user_name(scope: Scope) -> str | int | None:
    """Return the key or the name of a user, never a text that the user object makes of itself: it may say anything."""
    try:
        user = scope_user(scope)
        names = (getattr(user, name, None) for name in _NAMES)
        name = user if isinstance(user, str | int) else next(filter(None, names), None)
    except Exception:  # a lazy user may ask a database, which is not possible here
        return None
    return name if name is None or isinstance(name, int) else _printable(str(name)[:_MAX_LENGTH])


def _printable(text: str) -> str:
    """Escape line breaks, which would begin a record of their own in a plain log."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()
