"""The hub: one socket on which a page subscribes to its room, the chat and notifications."""

from chanx.core.decorators import channel, ws_handler
from sandbox_fastapi.apps.hub.messages import IntroducedMessage, IntroduceMessage, Introduction
from sandbox_fastapi.apps.hub.topics import ChatTopic, NotificationTopic
from sandbox_fastapi.apps.room_chat.consumer import RoomTopic
from sandbox_fastapi.apps.room_chat.names import PARTICIPANT, presentable
from sandbox_fastapi.base_consumer import BaseConsumer

__all__ = ["HubConsumer"]


@channel(name="hub", description="Rooms, chat and notifications as topics of one socket")
class HubConsumer(BaseConsumer):
    """Has no messages of its own but the introduction: `subscribe` and `unsubscribe` are the library's."""

    channel_layer_alias = "chat"
    topics = [RoomTopic, ChatTopic, NotificationTopic]

    @ws_handler(summary="Give your name")
    async def handle_introduce(self, message: IntroduceMessage) -> IntroducedMessage:
        """Keep the name for the rooms that the client joins from now on."""
        name = presentable(message.payload.name)
        self.scope[PARTICIPANT] = name
        return IntroducedMessage(payload=Introduction(name=name))
