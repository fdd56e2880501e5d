"""The WebSocket of a room."""

from typing import cast

from channels.db import database_sync_to_async
from rest_framework.permissions import IsAuthenticated

from accounts.consumers import SiteAuthenticator, SiteConsumer
from chanx.core.decorators import channel, event_handler, ws_handler
from chat.history import page_before
from chat.messages import (
    HistoryMessage,
    HistoryRequest,
    MemberChanged,
    RenameRoom,
    RoomRenamed,
    Said,
    SayMessage,
    TypingMessage,
    TypingNotice,
    TypingPayload,
)
from chat.models import Message, Room
from chat.permissions import IsAdmin, IsMember

__all__ = ["RoomConsumer"]

CLOSE_PUT_OUT = 4403


class RoomAuthenticator(SiteAuthenticator):
    """Lets the members of the room in."""

    permission_classes = (IsAuthenticated, IsMember)
    queryset = Room.objects.all()


@channel(name="room", tags=["chat"])
class RoomConsumer(SiteConsumer[Said | RoomRenamed | MemberChanged]):
    """A group chat, or the direct messages of two people."""

    authenticator_class = RoomAuthenticator

    @property
    def room(self) -> Room:
        """The room that the address names."""
        return cast(Room, self.found)

    async def get_groups(self) -> list[str]:
        """Join the group that everything about the room is sent to."""
        return [self.room.group]

    @ws_handler(summary="Say something", guards=[IsMember])
    async def handle_say(self, message: SayMessage) -> None:
        """Keep the message; everybody in the room is told once it is stored."""
        await self.keep(message.payload.text)

    @database_sync_to_async
    def keep(self, text: str) -> None:
        """Store a message."""
        Message.objects.create(room=self.room, author=self.user, text=text)

    @ws_handler(summary="Get what was said before", guards=[IsMember])
    async def handle_history(self, message: HistoryRequest) -> HistoryMessage:
        """Return a page of messages."""
        return HistoryMessage(payload=await page_before(self.room, message.payload.before))

    @ws_handler(summary="Tell that you are writing", output_type=TypingNotice)
    async def handle_typing(self, _message: TypingMessage) -> None:
        """Tell the others."""
        notice = TypingNotice(payload=TypingPayload(name=self.user.get_username()))
        await self.broadcast_message(notice, exclude_current=True)

    @ws_handler(summary="Give the room another name", guards=[IsAdmin])
    async def handle_rename(self, message: RenameRoom) -> None:
        """Rename the room; everybody in it is told."""
        room = await Room.objects.aget(pk=self.room.pk)
        room.name = message.payload.name
        await room.asave(update_fields=["name"])

    @event_handler
    async def on_said(self, event: Said) -> Said:
        """Pass on what was said."""
        return event

    @event_handler
    async def on_renamed(self, event: RoomRenamed) -> RoomRenamed:
        """Pass on the new name."""
        return event

    @event_handler
    async def on_member(self, event: MemberChanged) -> MemberChanged | None:
        """Pass on who came or left. Who was put out is told as well, and then has to leave."""
        if event.payload.role is None and event.payload.user_id == self.user.pk:
            await self.send_message(event)
            await self.close(CLOSE_PUT_OUT, "You are no member of this room any more")
            return None
        return event
