"""Deciding who may connect."""

from abc import ABC, abstractmethod
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from chanx.constants import CLOSE_UNAUTHENTICATED
from chanx.core._user_classes import check_async_hooks
from chanx.type_defs import SendMessageFn

if TYPE_CHECKING:
    from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["BaseAuthenticator", "Credential"]


@dataclass(frozen=True, slots=True)
class Credential:
    """Where a client puts a credential; documentation only."""

    name: str
    location: Literal["query", "header", "cookie"]
    description: str | None = None


class BaseAuthenticator(ABC):
    """Decides about one connection; a new instance is made for each.

    `send_message` sends to the client before the decision is known, for example an `AuthenticationMessage`.
    """

    credentials: ClassVar[Sequence[Credential]] = ()
    consumer: "ChanxWebsocketConsumerMixin[Any] | None" = None
    """Whose connection it is, for the options of its class; set before `authenticate()`."""
    status_code: int | None = None
    """HTTP status of the decision, where there is one."""

    # Any: whatever a base class of the user's takes.
    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Raise TypeError for an `authenticate()` that is not async."""
        super().__init_subclass__(**kwargs)
        check_async_hooks(cls)

    def __init__(self, send_message: SendMessageFn) -> None:
        self.send_message = send_message

    @abstractmethod
    async def authenticate(self, scope: MutableMapping[str, Any]) -> bool:
        """Return True to let the connection in.

        False closes it with `close_code`; an exception is logged and closes it with 4500.
        """

    @property
    def close_code(self) -> int:
        """4000 + `status_code` where that is an HTTP error, else 4401."""
        if self.status_code is not None and 400 <= self.status_code <= 599:
            return 4000 + self.status_code
        return CLOSE_UNAUTHENTICATED
