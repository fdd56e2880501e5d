"""The room chat: a room is a topic of the hub, and has a socket of its own, named by the address."""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import StringConstraints

from chanx.core.decorators import channel, event_handler, ws_handler
from chanx.core.exceptions import MessageError
from chanx.core.topic import Topic
from chanx.utils.groups import safe_group_name
from chanx.utils.scope import query_params
from sandbox_fastapi.apps.room_chat.messages import (
    RoomChatMessage,
    RoomHappened,
    RoomNotificationMessage,
    RoomNotificationPayload,
)
from sandbox_fastapi.apps.room_chat.names import PARTICIPANT, presentable
from sandbox_fastapi.base_consumer import BaseConsumer

__all__ = ["RoomChatConsumer", "RoomTopic"]

Kind = Literal["chat", "joined", "left"]
RoomName = Annotated[str, StringConstraints(max_length=60)]


@channel(name="room_chat", description="Dynamic room-based messaging")
class RoomChatConsumer(BaseConsumer[RoomHappened]):
    """A room on a socket of its own; the query string's `name` is what the others see of a participant."""

    channel_layer_alias = "chat"
    emits = (RoomNotificationMessage,)  # who comes and goes is told without being asked

    @property
    def room_name(self) -> str:
        """The room that the address names."""
        return str(self.scope["path_params"]["room_name"])

    @cached_property
    def sender(self) -> str:
        """The participant's name."""
        return presentable(query_params(self.scope).get("name", [""])[0])

    async def get_groups(self) -> list[str]:
        """Join the room."""
        return [_group(self.room_name)]

    async def post_authentication(self) -> None:
        """Tell the others who came."""
        await self.notify("joined", f"{self.sender} joined", exclude_current=True)

    async def disconnect(self, code: int) -> None:
        """Tell the others who left."""
        await self.notify("left", f"{self.sender} left", exclude_current=True)

    @ws_handler(summary="Say something to the room", output_type=RoomNotificationMessage)
    async def handle_room_chat(self, message: RoomChatMessage) -> None:
        """Pass the text on to everybody in the room, its sender included."""
        await self.notify("chat", message.payload.message)

    @event_handler
    async def handle_room_happened(self, event: RoomHappened) -> RoomNotificationMessage:
        """Pass on what a subscriber of the topic did."""
        return RoomNotificationMessage(payload=event.payload)

    async def notify(self, kind: Kind, message: str, *, exclude_current: bool = False) -> None:
        """Tell the room what this participant did: those on this kind of socket, and those on the hub."""
        payload = RoomNotificationPayload(
            message=message, room_name=self.room_name, sender=self.sender, kind=kind
        )
        await self.broadcast_message(
            RoomNotificationMessage(payload=payload), exclude_current=exclude_current
        )
        await RoomTopic.tell(payload)


class RoomTopic(Topic[RoomHappened]):
    """The same room on the hub, for clients that gave their name."""

    pattern = "room:{room}"
    channel_layer_alias = "chat"

    async def authorize(self, room: RoomName) -> bool:
        """Allow everybody who has a name. The annotation refuses long rooms as `invalid_topic`."""
        if PARTICIPANT not in self.scope:
            raise MessageError("no_name", "Give your name before you join a room")
        return True

    async def on_subscribe(self) -> None:
        """Keep the name for as long as the participant stays, and tell the others who came."""
        self.sender = str(self.scope[PARTICIPANT])
        await self.notify("joined", f"{self.sender} joined")

    async def on_unsubscribe(self) -> None:
        """Tell the others who left; also called when the connection ends."""
        await self.notify("left", f"{self.sender} left")

    @ws_handler(summary="Say something to the room")
    async def handle_room_chat(self, message: RoomChatMessage) -> RoomNotificationMessage:
        """Tell the others, and answer under the `ref` of the message."""
        return RoomNotificationMessage(payload=await self.notify("chat", message.payload.message))

    @event_handler
    async def handle_room_happened(self, event: RoomHappened) -> RoomNotificationMessage:
        """Pass on what another participant did."""
        return RoomNotificationMessage(payload=event.payload)

    async def notify(self, kind: Kind, message: str) -> RoomNotificationPayload:
        """Tell the others what this participant did, on either kind of socket."""
        room = self.params["room"]
        payload = RoomNotificationPayload(
            message=message, room_name=room, sender=self.sender, kind=kind
        )
        event = RoomHappened(payload=payload)
        await self.broadcast(event, exclude_current=True)
        await RoomChatConsumer.broadcast_event(event, _group(room))
        return payload

    @classmethod
    async def tell(cls, payload: RoomNotificationPayload) -> None:
        """Tell the subscribers of a room. One whose name makes no topic has none."""
        topic = f"room:{payload.room_name}"
        try:
            has_topic = cls.parse(topic) is not None
        except ValueError:  # too long
            has_topic = False
        if has_topic:
            await cls.broadcast(topic, RoomHappened(payload=payload))


def _group(room: str) -> str:
    return safe_group_name("room", room)
