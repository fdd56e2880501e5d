"""Rooms: members, what is said, and who may do what."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from chat.consumers import RoomConsumer
from chat.messages import (
    HistoryRequest,
    HistoryRequestPayload,
    RenamePayload,
    RenameRoom,
    SayMessage,
    SayPayload,
    TypingMessage,
)
from chat.models import Membership, Message, Role, Room
from tests.people import Person, admitted, room_of, socket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("layer")]


@pytest.fixture
def ada() -> Person:
    return Person.new("ada")


@pytest.fixture
def bob() -> Person:
    return Person.new("bob")


@pytest.fixture
def eve() -> Person:
    """Somebody who is in no room."""
    return Person.new("eve")


@pytest.fixture
def room(ada: Person, bob: Person) -> Room:
    """A room that Ada owns and Bob is in."""
    return room_of(ada, bob)


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    async with no_leaks(get_channel_layer()):
        yield


def enter(person: Person, room: Room) -> WebsocketCommunicator:
    return person.socket(RoomConsumer, f"/ws/rooms/{room.pk}/")


async def refused(ws: WebsocketCommunicator) -> tuple[int, str]:
    """Return the status that a client is told before it is sent away."""
    await ws.connect()
    payload = (await ws.receive_json_from())["payload"]
    await ws.assert_closed(4000 + payload["status_code"])
    await ws.wait()
    return payload["status_code"], payload["data"]["detail"]


def saying(text: str) -> SayMessage:
    return SayMessage(payload=SayPayload(text=text))


async def test_what_is_said_over_a_socket_reaches_the_room(
    ada: Person, bob: Person, room: Room
) -> None:
    """And is stored."""
    async with enter(ada, room) as hers, enter(bob, room) as his:
        await admitted(hers)
        await admitted(his)
        await hers.send_message(saying("  hello "))
        for ws in (hers, his):
            frame = await ws.receive_json_from()
            assert frame["action"] == "said"
            assert (frame["payload"]["author"], frame["payload"]["text"]) == ("ada", "hello")
        assert hers.scope["path"] == f"/ws/rooms/{room.pk}/"

    assert [message.text async for message in Message.objects.all()] == ["hello"]


async def test_what_is_said_over_http_reaches_the_room(
    ada: Person, bob: Person, room: Room
) -> None:
    """By the REST API, with the number that the socket tells."""
    async with enter(bob, room) as his:
        await admitted(his)
        answer = await sync_to_async(ada.post)(f"/api/rooms/{room.pk}/messages/", text="hello")
        frame = await his.receive_json_from()

    assert answer.status_code == HTTPStatus.CREATED
    assert frame["payload"] == answer.json()


async def test_rooms_are_apart(ada: Person, room: Room) -> None:
    other = await sync_to_async(Room.opened)("other", ada.user)
    async with enter(ada, room) as here, enter(ada, other) as there:
        await admitted(here)
        await admitted(there)
        await here.send_message(saying("here"))
        await here.receive_json_from()
        await there.send_message(saying("there"))
        assert (await there.receive_json_from())["payload"]["text"] == "there"


async def test_history_comes_in_pages(ada: Person, room: Room) -> None:
    await Message.objects.abulk_create(
        Message(room=room, author=ada.user, text=str(number)) for number in range(70)
    )

    async def page(before: int | None) -> Any:
        await ws.send_message(HistoryRequest(payload=HistoryRequestPayload(before=before)))
        return (await ws.receive_json_from())["payload"]

    async with enter(ada, room) as ws:
        await admitted(ws)
        latest = await page(None)
        rest = await page(latest["messages"][0]["id"])

    assert [message["text"] for message in latest["messages"]] == [str(n) for n in range(20, 70)]
    assert [message["text"] for message in rest["messages"]] == [str(n) for n in range(20)]
    assert (latest["has_more"], rest["has_more"]) == (True, False)


async def test_only_the_others_are_told_who_is_writing(
    ada: Person, bob: Person, room: Room
) -> None:
    async with enter(ada, room) as hers, enter(bob, room) as his:
        await admitted(hers)
        await admitted(his)
        await hers.send_message(TypingMessage())
        notice = await his.receive_json_from()
        await hers.send_message(saying("done"))
        assert (await hers.receive_json_from())["action"] == "said"

    assert notice["payload"] == {"name": "ada"}
    assert notice["is_current"] is False


# Who may do what


async def test_who_is_turned_away(ada: Person, eve: Person, room: Room) -> None:
    """Nobody: 401. No member: 403. No room: 404. Each with its close code."""
    path = f"/ws/rooms/{room.pk}/"

    assert (await refused(socket(RoomConsumer, path)))[0] == 401
    assert await refused(enter(eve, room)) == (403, "Only members of this room may do this.")
    nowhere = ada.socket(RoomConsumer, "/ws/rooms/999/")
    assert await refused(nowhere) == (404, "No Room matches the given query.")
    wrong = socket(RoomConsumer, path, (b"authorization", b"Bearer wrong"))
    assert (await refused(wrong))[0] == 401


async def test_a_token_opens_the_door_too(ada: Person, room: Room) -> None:
    """In a header, or behind a subprotocol, which is what a page can do."""
    path, token = f"/ws/rooms/{room.pk}/", ada.token
    header = (b"authorization", f"Bearer {token}".encode())
    offered = (b"sec-websocket-protocol", f"bearer, {token}".encode())

    async with socket(RoomConsumer, path, header) as ws:
        await admitted(ws)
    async with socket(RoomConsumer, path, offered, subprotocols=["bearer", token]) as ws:
        assert ws.subprotocol == "bearer"
        await admitted(ws)


async def test_only_admins_rename(ada: Person, bob: Person, room: Room) -> None:
    """A permission class is asked before each message, and sees roles as they are now."""
    rename = RenameRoom(payload=RenamePayload(name="parlour"))
    async with enter(bob, room) as his:
        await admitted(his)
        await his.send_message(rename)
        assert (await his.receive_json_from())["payload"] == [
            {"type": "no_admin", "loc": [], "msg": "Only admins of this room may do this."}
        ]
        await Membership.objects.filter(user=bob.user).aupdate(role=Role.ADMIN)
        await his.send_message(rename)
        assert await his.receive_json_from() == {
            "action": "renamed",
            "payload": {"name": "parlour"},
        }


async def test_who_is_put_out_has_to_leave(ada: Person, bob: Person, room: Room) -> None:
    """Over HTTP, while connected. The others are told."""
    async with enter(ada, room) as hers, enter(bob, room) as his:
        await admitted(hers)
        await admitted(his)
        answer = await sync_to_async(ada.client.delete)(f"/api/rooms/{room.pk}/members/bob/")
        told = {"user_id": bob.user.pk, "name": "bob", "role": None}
        assert answer.status_code == HTTPStatus.NO_CONTENT
        assert (await hers.receive_json_from())["payload"] == told
        assert (await his.receive_json_from())["payload"] == told
        await his.assert_closed(4403)
    assert (await refused(enter(bob, room)))[0] == 403


async def test_who_lost_the_membership_silently_says_nothing_more(
    ada: Person, bob: Person, room: Room
) -> None:
    """Even where no event has told the socket."""
    async with enter(bob, room) as his:
        await admitted(his)
        await sync_to_async(Membership.objects.filter(user=bob.user)._raw_delete)("default")
        await his.send_message(saying("still here"))
        assert (await his.receive_json_from())["payload"][0]["type"] == "no_member"
    assert await Message.objects.acount() == 0


async def test_a_new_member_is_announced(ada: Person, eve: Person, room: Room) -> None:
    async with enter(ada, room) as hers:
        await admitted(hers)
        answer = await sync_to_async(ada.post)(f"/api/rooms/{room.pk}/members/", username="eve")
        assert answer.status_code == HTTPStatus.CREATED
        assert (await hers.receive_json_from())["payload"] == {
            "user_id": eve.user.pk,
            "name": "eve",
            "role": "member",
        }
    async with enter(eve, room) as theirs:
        await admitted(theirs)


BAD_FRAMES = [
    '{"action":',
    "[]",
    '{"action": "dance"}',
    '{"action": "say", "payload": {"text": " "}}',
]


@pytest.mark.parametrize("frame", BAD_FRAMES)
async def test_bad_input_is_answered_by_one_error_frame(
    ada: Person, room: Room, frame: str
) -> None:
    async with enter(ada, room) as ws:
        await admitted(ws)
        await ws.send_to(frame)
        (problem,) = (await ws.receive_json_from())["payload"]
        await ws.send_to('{"action": "ping"}')
        assert (await ws.receive_json_from())["action"] == "pong"
    assert set(problem) == {"type", "loc", "msg"}
