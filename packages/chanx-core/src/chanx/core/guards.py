"""Checks before each message of a handler."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from chanx.core import _guard as _guard
from chanx.messages.base import BaseMessage

if TYPE_CHECKING:
    from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["DeniedError", "Guard"]


class DeniedError(Exception):
    """A message may not be handled; the client is told `code` and `detail` in an error frame."""

    def __init__(self, code: str = "permission_denied", detail: str = "Not allowed") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Guard(ABC):
    """Decides about each message of the handlers that list it: `@ws_handler(guards=[...])`.

    One instance serves every connection of the class.
    """

    @abstractmethod
    async def check(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage
    ) -> None:
        """Return to let the message pass; raise DeniedError to refuse it.

        A return value of False refuses it too, as does any other exception, which is a failure of the handler.
        """
