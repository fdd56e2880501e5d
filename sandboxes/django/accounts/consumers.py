"""What all consumers of the site share."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.db import transaction

from accounts.authentication import SUBPROTOCOL
from chanx.channels.authenticator import DjangoAuthenticator
from chanx.channels.websocket import AsyncJsonWebsocketConsumer, ReceiveEvent
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage

__all__ = ["SiteAuthenticator", "SiteConsumer"]


class SiteAuthenticator(DjangoAuthenticator):
    """Lets in who may use the REST API: its classes are those of REST_FRAMEWORK in the settings."""


class SiteConsumer(AsyncJsonWebsocketConsumer[ReceiveEvent]):
    """A consumer for people who are logged in, by a session or a token."""

    authenticator_class = SiteAuthenticator

    async def connect(self) -> None:
        """Accept; a page that offers a token behind a subprotocol has to be answered with that."""
        offered = self.scope.get("subprotocols") or ()
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)

    @classmethod
    def broadcast_on_commit(cls, event: ReceiveEvent, group: str | None = None) -> None:
        """Tell a group, or those of the class, once what is told of is stored."""
        # Robust: a layer that is down is logged, and what was committed has been done all the same.
        transaction.on_commit(lambda: cls.broadcast_event_sync(event, group), robust=True)

    @property
    def user(self) -> User:
        """Whose connection it is."""
        return cast(User, self.scope["user"])

    # Any: the object that the authenticator found has the type of its queryset.
    @property
    def found(self) -> Any:
        """What the address names."""
        return cast(DjangoAuthenticator, self.authenticator).obj

    @ws_handler(summary="Check the connection")
    async def handle_ping(self, _message: PingMessage) -> PongMessage:
        """Answer a ping."""
        return PongMessage()
