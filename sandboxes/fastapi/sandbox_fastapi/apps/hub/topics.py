"""The topics of the hub that every page has: the chat, and notifications by level."""

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.topic import Topic
from sandbox_fastapi.apps.hub.messages import ChatSaid, Level, Notified, NotifyMessage
from sandbox_fastapi.apps.showcase.messages import (
    ChatMessage,
    ChatNotificationMessage,
    ChatPayload,
    NotificationMessage,
    NotificationPayload,
    SystemNoticeMessage,
    SystemNotify,
)

__all__ = ["ChatTopic", "NotificationTopic"]


class ChatTopic(Topic[ChatSaid | SystemNotify]):
    """A chat of everybody."""

    pattern = "chat"
    channel_layer_alias = "chat"

    async def on_subscribe(self) -> None:
        """Tell the others."""
        await self.broadcast(SystemNotify(payload="Somebody joined"), exclude_current=True)

    async def on_unsubscribe(self) -> None:
        """Tell the others; also called when the connection ends."""
        await self.broadcast(SystemNotify(payload="Somebody left"), exclude_current=True)

    @ws_handler(summary="Say something")
    async def handle_chat(self, message: ChatMessage) -> ChatNotificationMessage:
        """Tell the others, and answer under the `ref` of the message."""
        said = ChatPayload(message=f"💬 {message.payload.message}")
        await self.broadcast(ChatSaid(payload=said), exclude_current=True)
        return ChatNotificationMessage(payload=said)

    @event_handler
    async def handle_chat_said(self, event: ChatSaid) -> ChatNotificationMessage:
        """Pass on what somebody else said."""
        return ChatNotificationMessage(payload=event.payload)

    @event_handler
    async def handle_system_notify(self, event: SystemNotify) -> SystemNoticeMessage:
        """Pass on what the server or another program has to say."""
        return SystemNoticeMessage(payload=event.payload)


class NotificationTopic(Topic[Notified | SystemNotify]):
    """Notifications of one level: a client subscribes to those that it wants."""

    pattern = "notifications:{level}"
    channel_layer_alias = "chat"

    async def authorize(self, level: Level) -> bool:
        """Allow everybody. The annotation refuses other levels as `invalid_topic`."""
        return True

    @ws_handler(summary="Notify the subscribers of this level")
    async def handle_notify(self, message: NotifyMessage) -> NotificationMessage:
        """Tell the others, and answer under the `ref` of the message."""
        payload = NotificationPayload(message=message.payload.message, level=self.params["level"])
        await self.broadcast(Notified(payload=payload), exclude_current=True)
        return NotificationMessage(payload=payload)

    @event_handler
    async def handle_notified(self, event: Notified) -> NotificationMessage:
        """Pass on what another client, an HTTP request or the worker had to notify."""
        return NotificationMessage(payload=event.payload)

    @event_handler
    async def handle_system_notify(self, event: SystemNotify) -> SystemNoticeMessage:
        """Pass on what another program has to say."""
        return SystemNoticeMessage(payload=event.payload)

    @classmethod
    async def notify(cls, payload: NotificationPayload) -> None:
        """Tell every subscriber of the payload's level, from any process."""
        await cls.broadcast(f"notifications:{payload.level}", Notified(payload=payload))
