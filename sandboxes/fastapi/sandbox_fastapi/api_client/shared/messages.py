# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""The messages of all channels, and what they hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ..base import Model




class AnalyticsPayload(Model):
    """
    One thing that happened: its name, such as page.viewed, and how often.
    """

    event: Annotated[str, Field(pattern="^[a-z][a-z0-9_.]{0,63}$")]
    count: Annotated[int | None, Field(description="Default: 1.", ge=1, le=1000000)] = (
        None
    )


class AnalyticsRecordedPayload(Model):
    """
    The same, as it was recorded.
    """

    event: Annotated[str, Field(pattern="^[a-z][a-z0-9_.]{0,63}$")]
    count: Annotated[int, Field(description="Default: 1.", ge=1, le=1000000)]
    recorded_at: float


class CancelControl(Model):
    """
    Cancels the answer to the message that was sent under this `ref`.
    """

    action: Annotated[Literal["cancel"], Field(description='Default: "cancel".')] = (
        "cancel"
    )
    ref: Annotated[
        str,
        Field(description="The `ref` of the message that is answered.", max_length=64),
    ]


class ChatPayload(Model):
    """
    What is said.
    """

    message: Annotated[str, Field(max_length=2000, min_length=1)]


class CheckFilesMessage(Model):
    """
    A client asks for a check.
    """

    action: Annotated[
        Literal["check_files"], Field(description='Default: "check_files".')
    ] = "check_files"
    payload: Annotated[None, Field(None)] = None


class CheckProgress(Model):
    """
    The file that was just checked, and how many of all that makes.
    """

    file: str
    done: int
    total: int


class CheckProgressMessage(Model):
    """
    An item for each file.
    """

    action: Annotated[
        Literal["check_progress"], Field(description='Default: "check_progress".')
    ] = "check_progress"
    payload: CheckProgress


class CheckResult(Model):
    """
    How many files were checked, and which of them are changed or missing.
    """

    checked: int
    changed: list[str]


class CheckResultMessage(Model):
    """
    The last item of a check that was not stopped.
    """

    action: Annotated[
        Literal["check_result"], Field(description='Default: "check_result".')
    ] = "check_result"
    payload: CheckResult


class CompleteMessage(Model):
    """
    Marks the end of handling one client message.
    """

    action: Annotated[
        Literal["complete"], Field(description='Default: "complete".')
    ] = "complete"
    payload: None


class CompleteMessageChatTopic(Model):
    """
    Marks the end of handling one client message.
    """

    action: Annotated[
        Literal["complete"], Field(description='Default: "complete".')
    ] = "complete"
    payload: None


class CompleteMessageNotificationTopic(Model):
    """
    Marks the end of handling one client message.
    """

    action: Annotated[
        Literal["complete"], Field(description='Default: "complete".')
    ] = "complete"
    payload: None


class CompleteMessageRoomTopic(Model):
    """
    Marks the end of handling one client message.
    """

    action: Annotated[
        Literal["complete"], Field(description='Default: "complete".')
    ] = "complete"
    payload: None


class ErrorMessage(Model):
    """
    Tells the client that a message of its was not handled, and why.
    """

    action: Annotated[Literal["error"], Field(description='Default: "error".')] = (
        "error"
    )
    payload: Annotated[
        Any,
        Field(
            description="A list of `type`, `loc` and `msg` for an invalid message; the same, with `status` and more where the application says so, for a rejected one; an object with `detail` otherwise."
        ),
    ]


class ErrorMessageChatTopic(Model):
    """
    Tells the client that a message of its was not handled, and why.
    """

    action: Annotated[Literal["error"], Field(description='Default: "error".')] = (
        "error"
    )
    payload: Annotated[
        Any,
        Field(
            description="A list of `type`, `loc` and `msg` for an invalid message; the same, with `status` and more where the application says so, for a rejected one; an object with `detail` otherwise."
        ),
    ]


class ErrorMessageNotificationTopic(Model):
    """
    Tells the client that a message of its was not handled, and why.
    """

    action: Annotated[Literal["error"], Field(description='Default: "error".')] = (
        "error"
    )
    payload: Annotated[
        Any,
        Field(
            description="A list of `type`, `loc` and `msg` for an invalid message; the same, with `status` and more where the application says so, for a rejected one; an object with `detail` otherwise."
        ),
    ]


class ErrorMessageRoomTopic(Model):
    """
    Tells the client that a message of its was not handled, and why.
    """

    action: Annotated[Literal["error"], Field(description='Default: "error".')] = (
        "error"
    )
    payload: Annotated[
        Any,
        Field(
            description="A list of `type`, `loc` and `msg` for an invalid message; the same, with `status` and more where the application says so, for a rejected one; an object with `detail` otherwise."
        ),
    ]


class Introduction(Model):
    """
    The name by which rooms know a participant.
    """

    name: Annotated[str, Field(max_length=40, min_length=1)]


class JobPayload(Model):
    """
    What to do, and with what.
    """

    type: Literal["translate", "analyze"]
    content: Annotated[str, Field(max_length=2000, min_length=1)]


class JobStatus(Model):
    """
    How far a job is, or that jobs can be asked for.
    """

    status: Literal["ready", "queuing", "queued", "result", "failed"]
    job_id: str | None = None
    message: str | None = None


class JobStatusMessage(Model):
    """
    Tells the client how far its job is.
    """

    action: Annotated[
        Literal["job_status"], Field(description='Default: "job_status".')
    ] = "job_status"
    payload: JobStatus
    is_current: Annotated[
        bool | None,
        Field(
            description="With messages of a group: whether this connection is the sender."
        ),
    ] = None


class MessagePayload(Model):
    """
    What the system says.
    """

    message: str


class MoreControl(Model):
    """
    Gives credit to the stream that answers the message sent under this `ref`.
    """

    action: Annotated[Literal["more"], Field(description='Default: "more".')] = "more"
    payload: Annotated[
        int,
        Field(description="How many more items the server may send.", ge=1, le=1024),
    ]
    ref: Annotated[
        str,
        Field(description="The `ref` of the message that is answered.", max_length=64),
    ]


class NotificationPayloadInput(Model):
    """
    Something to be known, and how much it matters.
    """

    message: Annotated[str, Field(max_length=2000, min_length=1)]
    level: Annotated[
        Literal["info", "warning", "alert"] | None,
        Field(description='Default: "info".'),
    ] = None


class NotificationPayloadOutput(Model):
    """
    Something to be known, and how much it matters.
    """

    message: Annotated[str, Field(max_length=2000, min_length=1)]
    level: Annotated[
        Literal["info", "warning", "alert"], Field(description='Default: "info".')
    ]


class NotifyMessage(Model):
    """
    A client notifies the subscribers of a level.
    """

    action: Annotated[Literal["notify"], Field(description='Default: "notify".')] = (
        "notify"
    )
    payload: ChatPayload


class PingMessage(Model):
    """
    Simple ping message to check WebSocket connection status.
    """

    action: Annotated[Literal["ping"], Field(description='Default: "ping".')] = "ping"
    payload: Annotated[None, Field(None)] = None


class PongMessage(Model):
    """
    Simple pong message response to ping requests.
    """

    action: Annotated[Literal["pong"], Field(description='Default: "pong".')] = "pong"
    payload: None
    is_current: Annotated[
        bool | None,
        Field(
            description="With messages of a group: whether this connection is the sender."
        ),
    ] = None


class PublishNotificationMessage(Model):
    """
    Somebody has something to tell to everybody.
    """

    action: Annotated[
        Literal["publish_notification"],
        Field(description='Default: "publish_notification".'),
    ] = "publish_notification"
    payload: NotificationPayloadInput


class ResyncMessage(Model):
    """
    Tells the client that messages of its groups may have been lost: what it shows should be asked for anew.
    """

    action: Annotated[Literal["resync"], Field(description='Default: "resync".')] = (
        "resync"
    )
    payload: None


class RoomMessagePayload(Model):
    """
    What a participant says: some text, without the space around it.
    """

    message: Annotated[str, Field(max_length=2000, min_length=1)]


class RoomNotificationPayload(Model):
    """
    What happened in a room, and who did it.
    """

    message: str
    room_name: str
    sender: str
    kind: Annotated[
        Literal["chat", "joined", "left"], Field(description='Default: "chat".')
    ]


class SubscribeControl(Model):
    """
    Asks for the topic that it names.
    """

    action: Annotated[
        Literal["subscribe"], Field(description='Default: "subscribe".')
    ] = "subscribe"


class SubscribeControlChatTopic(Model):
    """
    Asks for the topic that it names.
    """

    action: Annotated[
        Literal["subscribe"], Field(description='Default: "subscribe".')
    ] = "subscribe"


class SubscribeControlNotificationTopic(Model):
    """
    Asks for the topic that it names.
    """

    action: Annotated[
        Literal["subscribe"], Field(description='Default: "subscribe".')
    ] = "subscribe"


class SubscribedMessage(Model):
    """
    Tells the client that it receives from the topic, and may send to it.
    """

    action: Annotated[
        Literal["subscribed"], Field(description='Default: "subscribed".')
    ] = "subscribed"
    payload: None


class SubscribedMessageChatTopic(Model):
    """
    Tells the client that it receives from the topic, and may send to it.
    """

    action: Annotated[
        Literal["subscribed"], Field(description='Default: "subscribed".')
    ] = "subscribed"
    payload: None


class SubscribedMessageNotificationTopic(Model):
    """
    Tells the client that it receives from the topic, and may send to it.
    """

    action: Annotated[
        Literal["subscribed"], Field(description='Default: "subscribed".')
    ] = "subscribed"
    payload: None


class SystemEchoMessage(Model):
    """
    The system says it back.
    """

    action: Annotated[
        Literal["system_echo"], Field(description='Default: "system_echo".')
    ] = "system_echo"
    payload: MessagePayload


class SystemNoticeMessage(Model):
    """
    Tells what the server has to say: who comes and goes, and events of other programs.
    """

    action: Annotated[
        Literal["system_notice"], Field(description='Default: "system_notice".')
    ] = "system_notice"
    payload: Annotated[str, Field(max_length=2000, min_length=1)]
    is_current: Annotated[
        bool | None,
        Field(
            description="With messages of a group: whether this connection is the sender."
        ),
    ] = None


class SystemNoticeMessageChatTopic(Model):
    """
    Tells what the server has to say: who comes and goes, and events of other programs.
    """

    action: Annotated[
        Literal["system_notice"], Field(description='Default: "system_notice".')
    ] = "system_notice"
    payload: Annotated[str, Field(max_length=2000, min_length=1)]


class SystemNoticeMessageNotificationTopic(Model):
    """
    Tells what the server has to say: who comes and goes, and events of other programs.
    """

    action: Annotated[
        Literal["system_notice"], Field(description='Default: "system_notice".')
    ] = "system_notice"
    payload: Annotated[str, Field(max_length=2000, min_length=1)]


class TopicError(Model):
    """
    The payload of the error that answers a request about a topic.
    """

    reason: str
    detail: str


class TopicErrorMessage(Model):
    """
    Refuses a request about a topic.
    """

    action: Annotated[Literal["error"], Field(description='Default: "error".')] = (
        "error"
    )
    payload: TopicError


class TopicErrorMessageChatTopic(Model):
    """
    Refuses a request about a topic.
    """

    action: Annotated[Literal["error"], Field(description='Default: "error".')] = (
        "error"
    )
    payload: TopicError


class TopicErrorMessageNotificationTopic(Model):
    """
    Refuses a request about a topic.
    """

    action: Annotated[Literal["error"], Field(description='Default: "error".')] = (
        "error"
    )
    payload: TopicError


class UnsubscribeControl(Model):
    """
    Gives the topic up that it names.
    """

    action: Annotated[
        Literal["unsubscribe"], Field(description='Default: "unsubscribe".')
    ] = "unsubscribe"


class UnsubscribeControlChatTopic(Model):
    """
    Gives the topic up that it names.
    """

    action: Annotated[
        Literal["unsubscribe"], Field(description='Default: "unsubscribe".')
    ] = "unsubscribe"


class UnsubscribeControlNotificationTopic(Model):
    """
    Gives the topic up that it names.
    """

    action: Annotated[
        Literal["unsubscribe"], Field(description='Default: "unsubscribe".')
    ] = "unsubscribe"


class UnsubscribedMessage(Model):
    """
    Tells the client that nothing more comes from the topic.
    """

    action: Annotated[
        Literal["unsubscribed"], Field(description='Default: "unsubscribed".')
    ] = "unsubscribed"
    payload: None


class UnsubscribedMessageChatTopic(Model):
    """
    Tells the client that nothing more comes from the topic.
    """

    action: Annotated[
        Literal["unsubscribed"], Field(description='Default: "unsubscribed".')
    ] = "unsubscribed"
    payload: None


class UnsubscribedMessageNotificationTopic(Model):
    """
    Tells the client that nothing more comes from the topic.
    """

    action: Annotated[
        Literal["unsubscribed"], Field(description='Default: "unsubscribed".')
    ] = "unsubscribed"
    payload: None


class UserPayload(Model):
    """
    What the client says.
    """

    message: Annotated[str, Field(max_length=2000, min_length=1)]


class AnalyticsMessage(Model):
    """
    Somebody reports what happened.
    """

    action: Annotated[
        Literal["analytics"], Field(description='Default: "analytics".')
    ] = "analytics"
    payload: AnalyticsPayload


class AnalyticsRecordedMessage(Model):
    """
    Tells every dashboard what was recorded.
    """

    action: Annotated[
        Literal["analytics_recorded"],
        Field(description='Default: "analytics_recorded".'),
    ] = "analytics_recorded"
    payload: AnalyticsRecordedPayload
    is_current: Annotated[
        bool | None,
        Field(
            description="With messages of a group: whether this connection is the sender."
        ),
    ] = None


class ChatMessage(Model):
    """
    Somebody says something to everybody.
    """

    action: Annotated[Literal["chat"], Field(description='Default: "chat".')] = "chat"
    payload: ChatPayload


class ChatMessageChatTopic(Model):
    """
    Somebody says something to everybody.
    """

    action: Annotated[Literal["chat"], Field(description='Default: "chat".')] = "chat"
    payload: ChatPayload


class ChatNotificationMessage(Model):
    """
    Tells everybody what was said.
    """

    action: Annotated[
        Literal["chat_notification"], Field(description='Default: "chat_notification".')
    ] = "chat_notification"
    payload: ChatPayload
    is_current: Annotated[
        bool | None,
        Field(
            description="With messages of a group: whether this connection is the sender."
        ),
    ] = None


class ChatNotificationMessageChatTopic(Model):
    """
    Tells everybody what was said.
    """

    action: Annotated[
        Literal["chat_notification"], Field(description='Default: "chat_notification".')
    ] = "chat_notification"
    payload: ChatPayload


class IntroduceMessage(Model):
    """
    A client gives its name.
    """

    action: Annotated[
        Literal["introduce"], Field(description='Default: "introduce".')
    ] = "introduce"
    payload: Introduction


class IntroducedMessage(Model):
    """
    Confirms the name, as the rooms show it.
    """

    action: Annotated[
        Literal["introduced"], Field(description='Default: "introduced".')
    ] = "introduced"
    payload: Introduction
    is_current: Annotated[
        bool | None,
        Field(
            description="With messages of a group: whether this connection is the sender."
        ),
    ] = None


class JobMessage(Model):
    """
    A client asks for a job.
    """

    action: Annotated[Literal["job"], Field(description='Default: "job".')] = "job"
    payload: JobPayload


class NotificationMessage(Model):
    """
    Tells everybody.
    """

    action: Annotated[
        Literal["notification"], Field(description='Default: "notification".')
    ] = "notification"
    payload: NotificationPayloadOutput
    is_current: Annotated[
        bool | None,
        Field(
            description="With messages of a group: whether this connection is the sender."
        ),
    ] = None


class NotificationMessageNotificationTopic(Model):
    """
    Tells everybody.
    """

    action: Annotated[
        Literal["notification"], Field(description='Default: "notification".')
    ] = "notification"
    payload: NotificationPayloadOutput


class RoomChatMessage(Model):
    """
    A participant says something to the room.
    """

    action: Annotated[
        Literal["room_chat"], Field(description='Default: "room_chat".')
    ] = "room_chat"
    payload: RoomMessagePayload


class RoomChatMessageRoomTopic(Model):
    """
    A participant says something to the room.
    """

    action: Annotated[
        Literal["room_chat"], Field(description='Default: "room_chat".')
    ] = "room_chat"
    payload: RoomMessagePayload


class RoomNotificationMessage(Model):
    """
    Tells everybody in a room what happened there.
    """

    action: Annotated[
        Literal["room_notification"], Field(description='Default: "room_notification".')
    ] = "room_notification"
    payload: RoomNotificationPayload
    is_current: Annotated[
        bool | None,
        Field(
            description="With messages of a group: whether this connection is the sender."
        ),
    ] = None


class RoomNotificationMessageRoomTopic(Model):
    """
    Tells everybody in a room what happened there.
    """

    action: Annotated[
        Literal["room_notification"], Field(description='Default: "room_notification".')
    ] = "room_notification"
    payload: RoomNotificationPayload


class UserMessage(Model):
    """
    A client says something to the system.
    """

    action: Annotated[
        Literal["user_message"], Field(description='Default: "user_message".')
    ] = "user_message"
    payload: UserPayload
