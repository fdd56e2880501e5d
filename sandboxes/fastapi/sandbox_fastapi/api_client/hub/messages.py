# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Messages of hub."""

from typing import TypeAlias

from ..shared.messages import (
    ChatMessageChatTopic,
    ChatNotificationMessageChatTopic,
    ChatPayload,
    CompleteMessage,
    CompleteMessageChatTopic,
    CompleteMessageNotificationTopic,
    CompleteMessageRoomTopic,
    ErrorMessage,
    ErrorMessageChatTopic,
    ErrorMessageNotificationTopic,
    ErrorMessageRoomTopic,
    IntroduceMessage,
    IntroducedMessage,
    Introduction,
    NotificationMessageNotificationTopic,
    NotificationPayloadOutput,
    NotifyMessage,
    PingMessage,
    PongMessage,
    ResyncMessage,
    RoomChatMessageRoomTopic,
    RoomMessagePayload,
    RoomNotificationMessageRoomTopic,
    RoomNotificationPayload,
    SubscribedMessage,
    SubscribedMessageChatTopic,
    SubscribedMessageNotificationTopic,
    SystemNoticeMessageChatTopic,
    SystemNoticeMessageNotificationTopic,
    TopicError,
    TopicErrorMessage,
    TopicErrorMessageChatTopic,
    TopicErrorMessageNotificationTopic,
    UnsubscribedMessage,
    UnsubscribedMessageChatTopic,
    UnsubscribedMessageNotificationTopic,
)

IncomingMessage: TypeAlias = IntroducedMessage | ErrorMessage | CompleteMessage | PongMessage | ResyncMessage | RoomNotificationMessageRoomTopic | ErrorMessageRoomTopic | CompleteMessageRoomTopic | TopicErrorMessage | SubscribedMessage | UnsubscribedMessage | ChatNotificationMessageChatTopic | ErrorMessageChatTopic | CompleteMessageChatTopic | SystemNoticeMessageChatTopic | TopicErrorMessageChatTopic | SubscribedMessageChatTopic | UnsubscribedMessageChatTopic | NotificationMessageNotificationTopic | ErrorMessageNotificationTopic | CompleteMessageNotificationTopic | SystemNoticeMessageNotificationTopic | TopicErrorMessageNotificationTopic | SubscribedMessageNotificationTopic | UnsubscribedMessageNotificationTopic
"""What the server sends."""
OutgoingMessage: TypeAlias = IntroduceMessage | PingMessage | RoomChatMessageRoomTopic | ChatMessageChatTopic | NotifyMessage
"""What clients send."""

__all__ = ["ChatMessageChatTopic", "ChatNotificationMessageChatTopic", "ChatPayload", "CompleteMessage", "CompleteMessageChatTopic", "CompleteMessageNotificationTopic", "CompleteMessageRoomTopic", "ErrorMessage", "ErrorMessageChatTopic", "ErrorMessageNotificationTopic", "ErrorMessageRoomTopic", "IncomingMessage", "IntroduceMessage", "IntroducedMessage", "Introduction", "NotificationMessageNotificationTopic", "NotificationPayloadOutput", "NotifyMessage", "OutgoingMessage", "PingMessage", "PongMessage", "ResyncMessage", "RoomChatMessageRoomTopic", "RoomMessagePayload", "RoomNotificationMessageRoomTopic", "RoomNotificationPayload", "SubscribedMessage", "SubscribedMessageChatTopic", "SubscribedMessageNotificationTopic", "SystemNoticeMessageChatTopic", "SystemNoticeMessageNotificationTopic", "TopicError", "TopicErrorMessage", "TopicErrorMessageChatTopic", "TopicErrorMessageNotificationTopic", "UnsubscribedMessage", "UnsubscribedMessageChatTopic", "UnsubscribedMessageNotificationTopic"]
