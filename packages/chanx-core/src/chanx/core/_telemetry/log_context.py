"""What log records say about the connection and the message that the running code handles.

Contexts are copied into tasks and sockets that outlive their connection, so nothing here refers to a consumer or its
scope.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from random import getrandbits
from typing import Any
from urllib.parse import quote

from chanx.type_defs import Scope
from chanx.utils.scope import scope_user

__all__ = ["ConnectionFields", "current", "current_fields", "update_user"]

# Characters: a client chooses its path.
_MAX_LENGTH = 200
# Characters of a path that are not escaped, RFC 3986; a line break is.
_IN_PATHS = "/:@!$&'()*+,;=~"
# Where users of the common frameworks have what names them.
_NAMES = ("pk", "id", "username")


class ConnectionFields:
    """What names one connection. Text is made of it only where a record asks: most logs are filtered out."""

    __slots__ = ("_consumer", "_id", "_path", "user")

    def __init__(self, consumer: type, scope: Scope) -> None:
        self._consumer = consumer
        self._id = getrandbits(64)
        self._path = str(scope.get("path", ""))[:_MAX_LENGTH]
        self.user: str | int | None = _user_name(scope)

    def fields(self) -> dict[str, Any]:
        """Return the fields of a record."""
        return {
            "consumer": self._consumer.__name__,
            "path": quote(self._path, _IN_PATHS, errors="replace")[:_MAX_LENGTH],
            "user": self.user,
            "connection_id": f"{self._id:016x}",
        }


# The connection; the number of the message that is handled, 0 outside of messages; and its action. A tuple, because one
# is made for each message, while most logs are filtered out.
_Current = tuple[ConnectionFields | None, int, Any]

_NAMES_OF_FIELDS = ("consumer", "path", "user", "connection_id", "message_id", "action")
current: ContextVar[_Current] = ContextVar("chanx_log_context", default=(None, 0, None))


def current_fields() -> Mapping[str, Any]:
    """Return every field; those that are not known here are None."""
    connection, number, action = current.get()
    fields: dict[str, Any] = dict.fromkeys(_NAMES_OF_FIELDS)
    if connection is not None:
        fields.update(connection.fields())
    if number:
        fields.update(message_id=f"{fields['connection_id']}-{number}", action=action)
    return fields


def update_user(scope: Scope) -> None:
    """Name the user that authentication has found."""
    connection, _, _ = current.get()
    if connection is not None:
        connection.user = _user_name(scope)


def _user_name(scope: Scope) -> str | int | None:
    """Return the key or the name of a user, never a text that the user object makes of itself: it may say anything."""
    if scope.get("user") is None:
        return None
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
