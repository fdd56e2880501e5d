"""Checks before each message of a handler."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from chanx.core._user_classes import check_async_hooks
from chanx.core.exceptions import DeniedError
from chanx.messages.base import BaseMessage

if TYPE_CHECKING:
    from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["DeniedError", "Guard"]


class Guard(ABC):
    """Decides about each message of the handlers that list it: `@ws_handler(guards=[...])`.

    One instance serves every connection of the class.
    """

    # Any: whatever a base class of the user's takes.
    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Raise TypeError for a `check()` that is not async."""
        super().__init_subclass__(**kwargs)
        check_async_hooks(cls)

    @abstractmethod
    async def check(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage
    ) -> None:
        """Return to let the message pass; raise DeniedError to refuse it.

        A return value of False refuses it too, as does any other exception: a MessageError is answered like one of the
        handler, the rest is a failure of the handler.
        """
