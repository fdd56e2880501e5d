# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""The client of hub."""

from collections.abc import Mapping as _Mapping
from typing import Any as _Any
from typing import ClassVar as _ClassVar

from ..base import BaseClient as _BaseClient
from ..base import BaseTopic as _BaseTopic
from ..base import given as _given
from ..shared import messages as _m

__all__ = ["ChatTopic", "HubClient", "NotificationTopic", "RoomTopic"]


class RoomTopic(_BaseTopic[_m.RoomNotificationMessageRoomTopic]):
    """The same room on the hub, for clients that gave their name."""

    pattern: _ClassVar[str] = "room:{room}"
    incoming: _ClassVar[_Mapping[str, _Any]] = {
        "complete": _m.CompleteMessageRoomTopic,
        "error": _m.ErrorMessageRoomTopic | _m.TopicErrorMessage,
        "room_notification": _m.RoomNotificationMessageRoomTopic,
        "subscribed": _m.SubscribedMessage,
        "unsubscribed": _m.UnsubscribedMessage,
    }

    async def room_chat(self, *, message: str) -> _m.RoomNotificationMessageRoomTopic:
        """Say something to the room"""
        return await self.client.send_request(_m.RoomChatMessageRoomTopic.model_validate(_given({"action": "room_chat", "payload": _given({"message": message})})), _m.RoomNotificationMessageRoomTopic, topic=self)


class ChatTopic(_BaseTopic[_m.ChatNotificationMessageChatTopic | _m.SystemNoticeMessageChatTopic]):
    """A chat of everybody."""

    pattern: _ClassVar[str] = "chat"
    incoming: _ClassVar[_Mapping[str, _Any]] = {
        "chat_notification": _m.ChatNotificationMessageChatTopic,
        "complete": _m.CompleteMessageChatTopic,
        "error": _m.ErrorMessageChatTopic | _m.TopicErrorMessageChatTopic,
        "subscribed": _m.SubscribedMessageChatTopic,
        "system_notice": _m.SystemNoticeMessageChatTopic,
        "unsubscribed": _m.UnsubscribedMessageChatTopic,
    }

    async def chat(self, *, message: str) -> _m.ChatNotificationMessageChatTopic:
        """Say something"""
        return await self.client.send_request(_m.ChatMessageChatTopic.model_validate(_given({"action": "chat", "payload": _given({"message": message})})), _m.ChatNotificationMessageChatTopic, topic=self)


class NotificationTopic(_BaseTopic[_m.NotificationMessageNotificationTopic | _m.SystemNoticeMessageNotificationTopic]):
    """Notifications of one level: a client subscribes to those that it wants."""

    pattern: _ClassVar[str] = "notifications:{level}"
    incoming: _ClassVar[_Mapping[str, _Any]] = {
        "complete": _m.CompleteMessageNotificationTopic,
        "error": _m.ErrorMessageNotificationTopic | _m.TopicErrorMessageNotificationTopic,
        "notification": _m.NotificationMessageNotificationTopic,
        "subscribed": _m.SubscribedMessageNotificationTopic,
        "system_notice": _m.SystemNoticeMessageNotificationTopic,
        "unsubscribed": _m.UnsubscribedMessageNotificationTopic,
    }

    async def notify(self, *, message: str) -> _m.NotificationMessageNotificationTopic:
        """Notify the subscribers of this level"""
        return await self.client.send_request(_m.NotifyMessage.model_validate(_given({"action": "notify", "payload": _given({"message": message})})), _m.NotificationMessageNotificationTopic, topic=self)


class HubClient(_BaseClient):
    """Rooms, chat and notifications as topics of one socket"""

    address: _ClassVar[str] = "/ws/hub"
    discriminator: _ClassVar[str] = "action"
    controls: _ClassVar[_Mapping[str, str]] = {
        "subscribe": "subscribe",
        "unsubscribe": "unsubscribe",
    }
    close_codes: _ClassVar[_Mapping[int, str]] = {
        1000: "stop",
        1001: "again",
        1009: "backoff",
        1011: "backoff",
        1012: "again",
        1013: "backoff",
        4001: "again",
        4008: "again",
        4009: "backoff",
        4011: "backoff",
        4012: "again",
        4013: "backoff",
    }
    heartbeat_interval: _ClassVar[float | None] = 25.0
    token_place: _ClassVar[tuple[str, str]] = ("header", "Authorization")
    incoming: _ClassVar[_Mapping[str, _Any]] = {
        "complete": _m.CompleteMessage,
        "error": _m.ErrorMessage,
        "introduced": _m.IntroducedMessage,
        "pong": _m.PongMessage,
        "resync": _m.ResyncMessage,
    }

    async def introduce(self, *, name: str) -> _m.IntroducedMessage:
        """Give your name"""
        return await self.send_request(_m.IntroduceMessage.model_validate(_given({"action": "introduce", "payload": _given({"name": name})})), _m.IntroducedMessage)

    async def ping(self) -> _m.PongMessage:
        """Check the connection"""
        return await self.send_request(_m.PingMessage.model_validate(_given({"action": "ping"})), _m.PongMessage)

    def room_topic(self, *, room: str) -> RoomTopic:
        """The same room on the hub, for clients that gave their name."""
        return RoomTopic(self, {"room": room})

    def chat_topic(self) -> ChatTopic:
        """A chat of everybody."""
        return ChatTopic(self, {})

    def notification_topic(self, *, level: str) -> NotificationTopic:
        """Notifications of one level: a client subscribes to those that it wants."""
        return NotificationTopic(self, {"level": level})
