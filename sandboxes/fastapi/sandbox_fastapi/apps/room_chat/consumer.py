"""The room chat: one group per room, named by the address."""

from functools import cached_property
from typing import Literal
from uuid import uuid4

from chanx.core.decorators import channel, ws_handler
from chanx.utils.groups import safe_group_name
from chanx.utils.scope import query_params
from sandbox_fastapi.apps.room_chat.messages import (
    RoomChatMessage,
    RoomNotificationMessage,
    RoomNotificationPayload,
)
from sandbox_fastapi.base_consumer import BaseConsumer

__all__ = ["RoomChatConsumer"]

MAX_NAME_LENGTH = 40


@channel(name="room_chat", description="Dynamic room-based messaging")
class RoomChatConsumer(BaseConsumer):
    """A room; the query string's `name` is what the others see of a participant."""

    channel_layer_alias = "chat"
    emits = (RoomNotificationMessage,)  # who comes and goes is told without being asked

    @property
    def room_name(self) -> str:
        """The room that the address names."""
        return str(self.scope["path_params"]["room_name"])

    @cached_property
    def sender(self) -> str:
        """The participant's name: printable, short, and made up when none was given."""
        given = query_params(self.scope).get("name", [""])[0]
        words = "".join(char if char.isprintable() else " " for char in given).split()
        return " ".join(words)[:MAX_NAME_LENGTH].rstrip() or f"guest-{uuid4().hex[:4]}"

    async def get_groups(self) -> list[str]:
        """Join the room."""
        return [safe_group_name("room", self.room_name)]

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

    async def notify(
        self,
        kind: Literal["chat", "joined", "left"],
        message: str,
        *,
        exclude_current: bool = False,
    ) -> None:
        """Tell the room what this participant did."""
        payload = RoomNotificationPayload(
            message=message, room_name=self.room_name, sender=self.sender, kind=kind
        )
        await self.broadcast_message(
            RoomNotificationMessage(payload=payload), exclude_current=exclude_current
        )
