"""A room tested as Django projects test: `WebsocketTestCase`, also run by `manage.py test`."""

from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from django.test import TestCase

from accounts.consumers import SiteConsumer
from chanx.channels.testing import DjangoWebsocketCommunicator, WebsocketTestCase
from chanx.channels.utils import get_websocket_application
from chanx.messages.outgoing import CompleteMessage
from chat.consumers import RoomConsumer
from chat.messages import Said, SayMessage, SayPayload
from chat.models import Message
from tests.people import Person, room_of

SAYING = SayMessage(payload=SayPayload(text="hello"))


class TestRoom(WebsocketTestCase):
    """Ada's room, in which Bob is and Eve is not."""

    consumer: ClassVar[type[SiteConsumer[Any]]] = RoomConsumer

    def setUp(self) -> None:
        """Make people and their room before the headers are asked for."""
        self.ada, self.bob, self.eve = (Person.new(name) for name in ("ada", "bob", "eve"))
        self.ws_path = f"/ws/rooms/{room_of(self.ada, self.bob).pk}/"
        super().setUp()

    def get_ws_headers(self) -> list[tuple[bytes, bytes]]:
        """Come as Ada."""
        return [self.ada.cookie]

    async def test_two_members(self) -> None:
        """One says something, over the socket and then over HTTP; both hear it."""
        his = self.create_communicator(headers=[self.bob.cookie])
        await self.auth_communicator.assert_authenticated_status_ok(max_auth_time=5)
        await his.assert_authenticated_status_ok(max_auth_time=5)

        await self.auth_communicator.send_message(SAYING)
        for heard in (await self.auth_communicator.receive_message(), await his.receive_message()):
            assert isinstance(heard, Said)
            assert (heard.payload.author, heard.payload.text) == ("ada", "hello")
        await sync_to_async(self.bob.post)(
            f"/api{self.ws_path.removeprefix('/ws')}messages/", text="over HTTP"
        )
        assert isinstance(message := await his.receive_message(), Said)
        assert message.payload.text == "over HTTP"

    async def test_somebody_else(self) -> None:
        """Is told why, and sent away."""
        theirs = self.create_communicator(headers=[self.eve.cookie])
        told = await theirs.wait_for_auth(max_auth_time=5)
        assert told is not None
        assert told.payload.status_code == 403
        await theirs.assert_closed(4403)

    async def test_nobody(self) -> None:
        """Has to log in first."""
        nobody = self.create_communicator(headers=[])
        told = await nobody.wait_for_auth(max_auth_time=5)
        assert told is not None
        assert told.payload.status_code == 401
        await nobody.assert_closed(4401)


class TestRoomInATransaction(TestCase):
    """The same in a plain test case of Django, whose transaction has to outlive the connection."""

    async def test_a_member(self) -> None:
        """Is let in and heard; the database is used by the authenticator, the handler and the test."""
        ada = await sync_to_async(Person.new)("ada")
        room = await sync_to_async(room_of)(ada)
        application: Any = get_websocket_application()
        path = f"/ws/rooms/{room.pk}/"
        async with DjangoWebsocketCommunicator(
            application, path, [ada.cookie], consumer=RoomConsumer
        ) as hers:
            await hers.assert_authenticated_status_ok(max_auth_time=5)
            assert await hers.request(SAYING, timeout=5) == CompleteMessage()
        assert await Message.objects.filter(room=room).acount() == 1
