"""The showcase: one kind of channel layer each."""

import time

from chanx.core.decorators import channel, event_handler, ws_handler
from sandbox_fastapi.apps.showcase.messages import (
    AnalyticsMessage,
    AnalyticsRecordedMessage,
    AnalyticsRecordedPayload,
    ChatMessage,
    ChatNotificationMessage,
    ChatPayload,
    NotificationMessage,
    PublishNotificationMessage,
    SystemNoticeMessage,
    SystemNotify,
)
from sandbox_fastapi.base_consumer import BaseConsumer

__all__ = [
    "AnalyticsConsumer",
    "ChatConsumer",
    "NotificationConsumer",
    "ReliableChatConsumer",
]


class ShowcaseConsumer(BaseConsumer[SystemNotify]):
    """Announces who comes and goes, and passes on what other programs send."""

    emits = (SystemNoticeMessage,)

    async def post_authentication(self) -> None:
        """Tell the others that somebody came."""
        await self.announce("Somebody joined")

    async def disconnect(self, code: int) -> None:
        """Tell the others that somebody left."""
        await self.announce("Somebody left")

    @event_handler
    async def handle_system_notify(self, event: SystemNotify) -> SystemNoticeMessage:
        """Pass an event on to the client."""
        return SystemNoticeMessage(payload=event.payload)

    async def announce(self, text: str) -> None:
        """Tell everybody but this client."""
        await self.broadcast_message(SystemNoticeMessage(payload=text), exclude_current=True)


@channel(name="chat", description="Basic Chat Consumer using centralized chat layer")
class ChatConsumer(ShowcaseConsumer):
    """Chat on Redis publish/subscribe: at once, to whoever listens."""

    channel_layer_alias = "chat"
    groups = ["chat_room"]

    @ws_handler(summary="Say something", output_type=ChatNotificationMessage)
    async def handle_chat(self, message: ChatMessage) -> None:
        """Pass it on to everybody."""
        await self.broadcast_message(
            ChatNotificationMessage(payload=ChatPayload(message=f"💬 {message.payload.message}"))
        )


@channel(name="reliable_chat", description="Reliable Chat using queue-based layer")
class ReliableChatConsumer(ShowcaseConsumer):
    """Chat on a Redis queue: messages wait for a member that is slow."""

    channel_layer_alias = "queue"
    groups = ["reliable_chat"]

    @ws_handler(summary="Say something", output_type=ChatNotificationMessage)
    async def handle_chat(self, message: ChatMessage) -> None:
        """Pass it on to everybody."""
        await self.broadcast_message(
            ChatNotificationMessage(payload=ChatPayload(message=f"📬 {message.payload.message}"))
        )


@channel(name="notifications", description="Notifications in a namespace of their own")
class NotificationConsumer(ShowcaseConsumer):
    """Notifications on publish/subscribe, apart from the chat."""

    channel_layer_alias = "notifications"
    groups = ["notifications"]

    @ws_handler(summary="Notify everybody", output_type=NotificationMessage)
    async def handle_publish_notification(self, message: PublishNotificationMessage) -> None:
        """Pass it on to everybody."""
        await self.broadcast_message(NotificationMessage(payload=message.payload))


@channel(name="analytics", description="Analytics events with reliable delivery")
class AnalyticsConsumer(ShowcaseConsumer):
    """Events on a Redis queue that holds many of them."""

    channel_layer_alias = "analytics"
    groups = ["analytics"]
    log_ignored_actions = ["ping", "pong", "analytics", "analytics_recorded"]  # too many to log

    @ws_handler(summary="Record an event", output_type=AnalyticsRecordedMessage)
    async def handle_analytics(self, message: AnalyticsMessage) -> None:
        """Stamp it, and tell every dashboard."""
        payload = AnalyticsRecordedPayload(
            **message.payload.model_dump(), recorded_at=round(time.time(), 3)
        )
        await self.broadcast_message(AnalyticsRecordedMessage(payload=payload))
