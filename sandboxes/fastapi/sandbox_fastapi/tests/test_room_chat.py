"""The room chat, without a server."""

import json
from typing import Any

import pytest

from chanx.constants import GROUP_ACTION_COMPLETE
from chanx.messages.incoming import PingMessage
from chanx.testing import WebsocketCommunicator
from sandbox_fastapi.apps.room_chat.consumer import RoomChatConsumer
from sandbox_fastapi.apps.room_chat.messages import (
    RoomChatMessage,
    RoomMessagePayload,
    RoomNotificationMessage,
)
from sandbox_fastapi.main import app

pytestmark = pytest.mark.usefixtures("layers")


def room(name: str, *, who: str = "ada") -> WebsocketCommunicator:
    """Return a participant who has yet to join."""
    return WebsocketCommunicator(app, f"/ws/room/{name}?name={who}", consumer=RoomChatConsumer)


def saying(text: str) -> RoomChatMessage:
    """Return the message with which a participant says something."""
    return RoomChatMessage(payload=RoomMessagePayload(message=text))


async def joined(participant: WebsocketCommunicator) -> None:
    """Wait until a participant is in the room: messages are answered from then on."""
    await participant.send_message(PingMessage())
    await participant.receive_all_messages(stop_action="complete")


async def next_notification(participant: WebsocketCommunicator) -> RoomNotificationMessage:
    """Return what a participant is told next."""
    (message,) = await participant.receive_all_messages(stop_action=GROUP_ACTION_COMPLETE)
    assert isinstance(message, RoomNotificationMessage)
    return message


async def next_chat_frame(participant: WebsocketCommunicator) -> dict[str, Any]:
    """Return what a participant hears next, as it went over the wire."""
    while True:
        frame: dict[str, Any] = await participant.receive_json_from()
        if frame["action"] == "room_notification" and frame["payload"]["kind"] == "chat":
            return frame


async def test_what_is_said_reaches_the_room() -> None:
    """The documented example: the sender hears its message, with the room's name."""
    async with room("test-room") as ada:
        await ada.send_message(saying("Hello room"))

        heard = await ada.receive_all_messages(stop_action=GROUP_ACTION_COMPLETE)

    message = heard[0]
    assert isinstance(message, RoomNotificationMessage)
    assert "Hello room" in message.payload.message
    assert message.payload.room_name == "test-room"
    assert message.payload.sender == "ada"
    assert message.payload.kind == "chat"


async def test_everybody_hears_and_knows_whose_message_it_is() -> None:
    """`is_current` is true on the sender's own copy only."""
    async with room("lobby") as ada, room("lobby", who="grace") as grace:
        await joined(ada)
        await joined(grace)
        assert (await next_notification(ada)).payload.kind == "joined"

        await ada.send_message(saying("hello"))
        own = await next_chat_frame(ada)
        others = await next_chat_frame(grace)

    assert own.pop("is_current") is True
    assert others.pop("is_current") is False
    payload = {"message": "hello", "room_name": "lobby", "sender": "ada", "kind": "chat"}
    assert own == others == {"action": "room_notification", "payload": payload}


async def test_the_others_hear_who_comes_and_goes() -> None:
    """A participant is not told about itself."""
    async with room("lobby") as ada:
        await joined(ada)
        async with room("lobby", who="grace") as grace:
            await joined(grace)
            came = await next_notification(ada)
        left = await next_notification(ada)

    assert (came.payload.kind, came.payload.message) == ("joined", "grace joined")
    assert (left.payload.kind, left.payload.message) == ("left", "grace left")


async def test_rooms_are_apart() -> None:
    """Names that a careless group name would mix up are different rooms."""
    async with room("a_b") as ada, room("a-b", who="grace") as grace:
        await joined(ada)
        await joined(grace)
        await ada.send_message(saying("only here"))
        await next_notification(ada)

        await grace.send_message(saying("and here"))

        assert (await next_notification(grace)).payload.message == "and here"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("ada", "ada"),
        ("%20Ada%20%20Lovelace%20", "Ada Lovelace"),
        ("a%0A%1B%5B31mb", "a [31mb"),
        ("%C3%A9%F0%9F%98%80", "é😀"),
        ("x" * 100, "x" * 40),
    ],
)
async def test_names_are_made_presentable(given: str, shown: str) -> None:
    """Control characters become spaces, spaces are collapsed, and the length is limited."""
    async with room("lobby", who=given) as participant:
        await participant.send_message(saying("hi"))

        assert (await next_notification(participant)).payload.sender == shown


async def test_a_name_is_made_up_when_there_is_none() -> None:
    """Guests keep their name for as long as they stay."""
    async with room("lobby", who="") as guest:
        await guest.send_message(saying("hi"))
        first = await next_notification(guest)
        await guest.receive_all_messages(stop_action="complete", timeout=0.01)
        await guest.send_message(saying("again"))
        second = await next_notification(guest)

    assert first.payload.sender.startswith("guest-")
    assert first.payload.sender == second.payload.sender


BAD_FRAMES = {
    "invalid JSON": '{"action":',
    "not a number": '{"action": "room_chat", "payload": {"message": NaN}}',
    "an array": "[]",
    "unknown action": '{"action": "dance", "payload": null}',
    "no action": "{}",
    "no payload": '{"action": "room_chat"}',
    "empty message": '{"action": "room_chat", "payload": {"message": "  "}}',
    "long message": json.dumps({"action": "room_chat", "payload": {"message": "x" * 2001}}),
    "binary": b"\x00\x01",
}


@pytest.mark.parametrize("frame", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
async def test_bad_input_is_answered_by_one_error_frame(frame: str | bytes) -> None:
    """The connection stays open and what follows is handled."""
    async with room("lobby") as ada:
        await joined(ada)
        if isinstance(frame, bytes):
            await ada.send_to(bytes_data=frame)
        else:
            await ada.send_to(text_data=frame)
        await ada.send_message(PingMessage())

        frames = [await ada.receive_json_from()]
        while frames[-1]["action"] != "pong":
            frames.append(await ada.receive_json_from())

    (error,) = [frame for frame in frames if frame["action"] == "error"]
    assert [set(problem) for problem in error["payload"]] == [{"type", "loc", "msg"}]
    assert {frame["action"] for frame in frames} <= {"error", "complete", "pong"}
