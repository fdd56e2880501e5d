"""What exporters distinguish numbers by: always values of a bounded set."""

from http import HTTPStatus

from chanx.messages.base import BaseMessage

__all__ = ["action_label", "code_label", "consumer_label"]

_CODES = frozenset({*range(1000, 1016), *(4000 + status for status in HTTPStatus)})


def consumer_label(consumer: object) -> str:
    """Name the class of a consumer."""
    return type(consumer).__name__


def action_label(message: BaseMessage | None) -> str:
    """Name a message, which has been validated: its action is one that the server declares."""
    return "" if message is None else str(message.action)


def code_label(code: int) -> str:
    """Name a close code, of which a client could send some thousand different ones."""
    return str(code) if code in _CODES else "other"
