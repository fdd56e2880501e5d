"""The exceptions of the engine::

    Exception
    ├── MessageError               answers a message with an error frame; raise it in handlers, guards, dependencies
    │   ├── DeniedError            the message is not allowed; raised by guards
    │   └── CancelledByClientError the client has cancelled the message; for observers
    ├── ChannelFullError           a channel has no room; raised by channel layers that belong to no framework
    └── ConnectionError
        └── LayerUnavailableError  the channel layer failed or did not answer

Declarations that cannot work raise TypeError when the class is created. Everything else that a handler raises is a
failure: it is logged, and the client gets an error frame without its text.
"""

from typing import Any

from chanx.type_defs import JSONObject

__all__ = [
    "CancelledByClientError",
    "ChannelFullError",
    "DeniedError",
    "LayerUnavailableError",
    "MessageError",
]

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


class CancelledByClientError(MessageError):
    """The client has cancelled its message: what observers receive. Handlers get `asyncio.CancelledError`."""

    def __init__(self) -> None:
        super().__init__("cancelled", "Cancelled by the client")


class LayerUnavailableError(ConnectionError):
    """The channel layer failed or did not answer within `layer_timeout`.

    Raised by everything that needs the layer: joining a group, broadcasts, events. The text names the layer and its
    address without credentials; `__cause__` is what the layer raised.
    """


class ChannelFullError(Exception):
    """A channel has no room for another message.

    `send_event()` raises it, or the exception of the framework's own layers for the same.
    """
