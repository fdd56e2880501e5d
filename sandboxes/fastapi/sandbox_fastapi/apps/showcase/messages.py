"""Messages of the showcase."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from chanx.messages.base import BaseMessage

__all__ = [
    "AnalyticsMessage",
    "AnalyticsPayload",
    "AnalyticsRecordedMessage",
    "AnalyticsRecordedPayload",
    "ChatMessage",
    "ChatNotificationMessage",
    "ChatPayload",
    "NotificationMessage",
    "NotificationPayload",
    "PublishNotificationMessage",
    "SystemNoticeMessage",
    "SystemNotify",
]

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]


class ChatPayload(BaseModel):
    """What is said."""

    message: Text


class ChatMessage(BaseMessage):
    """Somebody says something to everybody."""

    action: Literal["chat"] = "chat"
    payload: ChatPayload


class ChatNotificationMessage(BaseMessage):
    """Tells everybody what was said."""

    action: Literal["chat_notification"] = "chat_notification"
    payload: ChatPayload


class NotificationPayload(BaseModel):
    """Something to be known, and how much it matters."""

    message: Text
    level: Literal["info", "warning", "alert"] = "info"


class PublishNotificationMessage(BaseMessage):
    """Somebody has something to tell to everybody."""

    action: Literal["publish_notification"] = "publish_notification"
    payload: NotificationPayload


class NotificationMessage(BaseMessage):
    """Tells everybody."""

    action: Literal["notification"] = "notification"
    payload: NotificationPayload


class AnalyticsPayload(BaseModel):
    """One thing that happened: its name, such as page.viewed, and how often."""

    event: Name
    count: Annotated[int, Field(ge=1, le=1_000_000)] = 1


class AnalyticsMessage(BaseMessage):
    """Somebody reports what happened."""

    action: Literal["analytics"] = "analytics"
    payload: AnalyticsPayload


class AnalyticsRecordedPayload(AnalyticsPayload):
    """The same, as it was recorded."""

    recorded_at: float
    """Seconds since the epoch."""


class AnalyticsRecordedMessage(BaseMessage):
    """Tells every dashboard what was recorded."""

    action: Literal["analytics_recorded"] = "analytics_recorded"
    payload: AnalyticsRecordedPayload


class SystemNotify(BaseMessage):
    """An event of the server or of another program, such as external_sender.py."""

    action: Literal["system_notify"] = "system_notify"
    payload: Text


class SystemNoticeMessage(BaseMessage):
    """Tells what the server has to say: who comes and goes, and events of other programs."""

    action: Literal["system_notice"] = "system_notice"
    payload: Text
