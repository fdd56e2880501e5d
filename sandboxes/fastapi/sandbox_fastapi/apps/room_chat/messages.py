"""Messages of a room."""

from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

from chanx.messages.base import BaseMessage

__all__ = [
    "MAX_MESSAGE_LENGTH",
    "RoomChatMessage",
    "RoomHappened",
    "RoomMessagePayload",
    "RoomNotificationMessage",
    "RoomNotificationPayload",
]

MAX_MESSAGE_LENGTH = 2000


class RoomMessagePayload(BaseModel):
    """What a participant says: some text, without the space around it."""

    message: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_MESSAGE_LENGTH),
    ]


class RoomChatMessage(BaseMessage):
    """A participant says something to the room."""

    action: Literal["room_chat"] = "room_chat"
    payload: RoomMessagePayload


class RoomNotificationPayload(BaseModel):
    """What happened in a room, and who did it."""

    message: str
    room_name: str
    sender: str
    kind: Literal["chat", "joined", "left"] = "chat"


class RoomNotificationMessage(BaseMessage):
    """Tells everybody in a room what happened there."""

    action: Literal["room_notification"] = "room_notification"
    payload: RoomNotificationPayload


class RoomHappened(BaseMessage):
    """The event for members on the other kind of socket."""

    action: Literal["room_happened"] = "room_happened"
    payload: RoomNotificationPayload
