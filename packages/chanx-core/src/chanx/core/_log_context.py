"""What log records say about the connection and the message that the running code handles.

Contexts are copied into tasks and sockets that outlive their connection, so nothing here refers to a consumer or its
scope.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from random import getrandbits
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import quote

from chanx.type_defs import Scope
from chanx.utils.scope import scope_user

__all__ = [
    "ConnectionFields",
    "MessageFields",
    "connection_fields",
    "current_connection",
    "current_fields",
    "enter_message",
    "update_user",
]

Fields = Mapping[str, Any]

# Characters: a client chooses its path.
_MAX_LENGTH = 200
# Characters of a path that are not escaped, RFC 3986; a line break is.
_IN_PATHS = "/:@!$&'()*+,;=~"
# Where users of the common frameworks have what names them.
_NAMES = ("pk", "id", "username")


class _HasFields(Protocol):
    @property
    def fields(self) -> Fields: ...


class _NoConnection:
    fields: Fields = MappingProxyType(
        dict.fromkeys(("consumer", "path", "user", "connection_id", "message_id", "action"))
    )


class ConnectionFields:
    """The fields of one connection."""

    __slots__ = ("fields",)

    def __init__(self, consumer: str, scope: Scope) -> None:
        self.fields: dict[str, Any] = {
            **_NoConnection.fields,
            "consumer": consumer,
            "path": quote(str(scope.get("path", "")), _IN_PATHS, errors="replace")[:_MAX_LENGTH],
            "user": _user_name(scope),
            "connection_id": f"{getrandbits(64):016x}",
        }


class MessageFields:
    """The fields of one message, put together when a record is written: most logs are filtered out."""

    __slots__ = ("_action", "_connection", "_fields", "_number")

    def __init__(self, connection: ConnectionFields, number: int, action: Any) -> None:
        self._connection = connection
        self._number = number
        self._action = action
        self._fields: Fields | None = None

    @property
    def fields(self) -> Fields:
        """The fields of the message and of its connection."""
        if self._fields is None:
            of_connection = self._connection.fields
            message_id = f"{of_connection['connection_id']}-{self._number}"
            self._fields = {**of_connection, "message_id": message_id, "action": self._action}
        return self._fields


_OUTSIDE = _NoConnection()
_current: ContextVar[_HasFields] = ContextVar("chanx_log_context", default=_OUTSIDE)


def current_fields() -> Fields:
    """Return every field; those that are not known here are None."""
    return _current.get().fields


@contextmanager
def connection_fields(consumer: type, scope: Scope) -> Generator[None]:
    """Name a connection in what is logged meanwhile, and in every context that is copied from this one."""
    before = _current.get()
    _current.set(ConnectionFields(consumer.__name__, scope))
    try:
        yield
    finally:
        # Not by its token: a server may close its application from another context.
        _current.set(before)


def current_connection() -> ConnectionFields:
    """Return the fields of the connection, outside of its messages."""
    current = _current.get()
    assert isinstance(current, ConnectionFields)
    return current


def enter_message(connection: ConnectionFields, number: int, action: Any) -> None:
    """Name a message in what the current task logs from now on."""
    _current.set(MessageFields(connection, number, action))


def update_user(scope: Scope) -> None:
    """Name the user that authentication has found."""
    current_connection().fields["user"] = _user_name(scope)


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
