# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""What clients raise, and what they pass to `on_error()`."""

from typing import Any, TypeGuard

__all__ = [
    "AnswerError",
    "ClientError",
    "ConnectionClosed",
    "ConnectionLost",
    "InvalidFrame",
    "MessagesDropped",
    "NoAnswer",
    "SendQueueFull",
    "TopicRefused",
]


class ClientError(Exception):
    """The base of all errors of a client."""


class ConnectionLost(ClientError):
    """The connection ended while something waited for its answer. The client connects again."""


class ConnectionClosed(ClientError):
    """The connection ended for good; `code` is the close code, or the HTTP status of a refused handshake."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(
            f"The connection is closed ({code}): {reason}" if reason else f"Closed ({code})"
        )
        self.code = code
        self.reason = reason


class SendQueueFull(ClientError):
    """More messages wait for the connection than the client keeps."""


class AnswerError(ClientError):
    """The server answered with an error. `code` is the type of its first item, such as `cancelled`."""

    def __init__(self, code: str, detail: str, payload: Any = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.payload = payload  # Any: as the server sent it


class TopicRefused(AnswerError):
    """The server refused a request about a topic; `code` is the reason, such as `unauthorized`."""


class NoAnswer(ClientError):
    """The server handled a message and had no answer."""


class InvalidFrame(ClientError):
    """A frame is not what the document says; `text` is the frame."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(reason)
        self.text = text


class MessagesDropped(ClientError):
    """The application reads more slowly than the server sends, so the oldest messages were dropped."""


# Any: whatever the server sent.
def answer_error(payload: Any) -> AnswerError:
    """Return what the payload of an error frame says."""
    first = next(iter(payload), None) if _is_list(payload) else payload
    if not _is_object(first):
        return AnswerError("error", str(first), payload)
    if "reason" in first:
        return TopicRefused(str(first["reason"]), str(first.get("detail")), payload)
    detail = first.get("msg", first.get("detail"))
    return AnswerError(str(first.get("type", "error")), str(detail), payload)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
