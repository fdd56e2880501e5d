"""What all consumers of the site share."""

from typing import Any, cast

from django.contrib.auth.models import User

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
