"""People, their rooms, and their sockets, without a server."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from accounts.consumers import SiteConsumer
from chanx.testing import WebsocketCommunicator
from chat.models import Membership, Role, Room
from config.asgi import application

PASSWORD = "correct horse battery staple"


@dataclass
class Person:
    """An account with a browser of its own."""

    user: User
    client: Client

    @classmethod
    def new(cls, name: str, password: str | None = None) -> "Person":
        """Make an account and log it in; a password takes time."""
        user = User.objects.create_user(name, password=password)
        client = Client()
        client.force_login(user)
        return cls(user, client)

    @property
    def cookie(self) -> tuple[bytes, bytes]:
        """The session, as a browser sends it."""
        return b"cookie", f"sessionid={self.client.cookies['sessionid'].value}".encode()

    @property
    def token(self) -> str:
        """A JSON Web Token."""
        return str(AccessToken.for_user(self.user))

    def socket(self, consumer: type[SiteConsumer[Any]], path: str) -> WebsocketCommunicator:
        """Return a socket in the name of the person."""
        return socket(consumer, path, self.cookie)

    def post(self, path: str, **body: Any) -> Any:
        """Send something to the REST API."""
        return self.client.post(path, body, content_type="application/json")


def socket(
    consumer: type[SiteConsumer[Any]],
    path: str,
    *headers: tuple[bytes, bytes],
    subprotocols: list[str] | None = None,
) -> WebsocketCommunicator:
    """Return a socket with these headers."""
    return WebsocketCommunicator(application, path, list(headers), subprotocols, consumer=consumer)


def room_of(owner: Person, *members: Person) -> Room:
    """Open a room."""
    room = Room.opened("lobby", owner.user)
    for member in members:
        Membership.objects.create(room=room, user=member.user, role=Role.MEMBER)
    return room


async def admitted(ws: WebsocketCommunicator) -> None:
    """Wait until a socket is in its groups: messages are answered from then on."""
    assert (await ws.receive_json_from())["payload"]["status_code"] == 200
    await ws.send_to('{"action": "ping"}')
    assert (await ws.receive_json_from())["action"] == "pong"
