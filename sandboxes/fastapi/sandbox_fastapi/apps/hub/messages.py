"""Messages of the hub and of its topics."""

from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

from chanx.messages.base import BaseMessage
from sandbox_fastapi.apps.showcase.messages import ChatPayload, NotificationPayload

__all__ = [
    "ChatSaid",
    "IntroduceMessage",
    "IntroducedMessage",
    "Introduction",
    "Level",
    "Notified",
    "NotifyMessage",
]

Level = Literal["info", "warning", "alert"]


class Introduction(BaseModel):
    """The name by which rooms know a participant."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class IntroduceMessage(BaseMessage):
    """A client gives its name."""

    action: Literal["introduce"] = "introduce"
    payload: Introduction


class IntroducedMessage(BaseMessage):
    """Confirms the name, as the rooms show it."""

    action: Literal["introduced"] = "introduced"
    payload: Introduction


class ChatSaid(BaseMessage):
    """The event for the subscribers of the chat."""

    action: Literal["chat_said"] = "chat_said"
    payload: ChatPayload


class NotifyMessage(BaseMessage):
    """A client notifies the subscribers of a level."""

    action: Literal["notify"] = "notify"
    payload: ChatPayload


class Notified(BaseMessage):
    """The event for the subscribers of a level."""

    action: Literal["notified"] = "notified"
    payload: NotificationPayload
