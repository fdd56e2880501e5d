"""Exceptions that answer a message: expected errors of the application, as opposed to failures."""

from typing import Any

from chanx.core import _guard as _guard
from chanx.type_defs import JSONObject

__all__ = ["DeniedError", "MessageError"]

_ITEM_KEYS = frozenset({"type", "loc", "msg"})


class MessageError(Exception):
    """Answers a message with an error frame, and leaves the connection open.

    Raise it in a handler, a guard or a dependency: `code` is for programs, `detail` for people, and `extra` goes into
    the frame as it is. Raises TypeError for an extra named `type`, `loc` or `msg`.
    """

    # Any: whatever can be written as JSON.
    def __init__(self, code: str, detail: str, **extra: Any) -> None:
        taken = _ITEM_KEYS & extra.keys()
        if taken:
            raise TypeError(
                f"{type(self).__name__} {code!r} has the extra {', '.join(sorted(taken))}, which the error frame "
                "fills with code and detail: choose another name."
            )
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.extra = extra

    def __str__(self) -> str:
        """Return code and detail."""
        return f"{self.code}: {self.detail}"

    @property
    def item(self) -> JSONObject:
        """The item of the error frame."""
        # A detail may be a text that is translated when it is written.
        return {"type": self.code, "loc": [], "msg": str(self.detail), **self.extra}


class DeniedError(MessageError):
    """A message may not be handled: what guards raise."""

    # Any: as above.
    def __init__(
        self, code: str = "permission_denied", detail: str = "Not allowed", **extra: Any
    ) -> None:
        super().__init__(code, detail, **extra)
