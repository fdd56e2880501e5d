"""What parts of the library ask of each other, so that none of them imports the other.

A consumer class is all of the consumers below at once. Each part takes the smallest of them.
"""

import asyncio
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from contextvars import Context
from typing import Any, Protocol

from pydantic import ValidationError

from chanx.core._runtime.containment import Cancelling
from chanx.core.codec import Codec
from chanx.core.limits import LayerLossPolicy, OutboundPolicy
from chanx.core.origin import OriginPolicy
from chanx.core.spec import ConsumerSpec
from chanx.messages.base import BaseMessage
from chanx.type_defs import ASGIEvent, EventPayload, GroupMessageEvent, Scope

__all__ = [
    "AdmittedConsumer",
    "Authenticator",
    "FrameSink",
    "HandlerOwner",
    "LayerView",
    "MessageSender",
    "Notifications",
    "OpenConnection",
    "OwnConnection",
    "ReceivingConsumer",
    "SendingConsumer",
    "ServedConnection",
    "ServedConsumer",
    "SubscribedConnection",
    "SubscribedConsumer",
    "SubscribedTopics",
]


class FrameSink(Protocol):
    """Where frames for one socket go."""

    @property
    def is_idle(self) -> bool:
        """True while no frame waits or is being written."""
        ...

    async def send(self, event: dict[str, object]) -> None:
        """Send a frame after those that were sent before; wait while too many are waiting."""
        ...

    def adopt(self, writing: asyncio.Task[None]) -> None:
        """End a task that waits for this socket with the connection."""
        ...


class Notifications(Protocol):
    """The observers of one connection."""

    def connected(self) -> None:
        """Notify that the client was admitted."""
        ...

    def replied(self, message: BaseMessage) -> None:
        """Notify that a message was sent."""
        ...

    def failed(self, error: Exception, message: BaseMessage | None = None) -> None:
        """Notify that something went wrong."""
        ...

    def streamed(self, message: BaseMessage, items: int) -> None:
        """Notify that the stream that answers a message has ended."""
        ...

    def credit_awaited(self, message: BaseMessage, seconds: float) -> None:
        """Notify that a stream has waited for credit."""
        ...

    def dropped(self, reason: str) -> None:
        """Notify that a message did not reach the client."""
        ...

    def closed(self, code: int) -> None:
        """Notify that the connection has ended."""
        ...

    def handling(self, message: BaseMessage) -> AbstractContextManager[None]:
        """Notify that a handler runs, and enter what the observers return while it does."""
        ...


class Authenticator(Protocol):
    """Decides whether a client may connect."""

    @property
    def close_code(self) -> int:
        """The close code of a client that is denied."""
        ...

    async def authenticate(self, scope: Scope) -> bool:
        """Return whether to admit the client."""
        ...


# A connection


class OwnConnection(Cancelling, Protocol):
    """A connection, as the code that handles a message on it sees it."""

    @property
    def notifier(self) -> Notifications | None:
        """The observers; None where there are none."""
        ...

    def failed(self, error: Exception, message: BaseMessage | None = None) -> None:
        """Notify the observers, if there are any, of a failure."""
        ...

    async def send_text(self, text: str, action: Any, before_ref: str = ...) -> None:
        """Send one text frame."""
        ...

    async def send_texts(self, texts: list[str]) -> None:
        """Send frames that were held."""
        ...


class LayerView(Protocol):
    """What a connection knows of its channel layer."""

    @property
    def layer_is_down(self) -> bool:
        """True while the layer does not answer."""
        ...

    @property
    def layer_is_local(self) -> bool:
        """True where the layer lives in this process."""
        ...


class OpenConnection(Protocol):
    """A connection, as the process sees it."""

    loop: asyncio.AbstractEventLoop

    @property
    def consumer(self) -> "SendingConsumer":
        """The consumer that is served."""
        ...

    @property
    def subscriber(self) -> LayerView | None:
        """What is subscribed to the channel layer."""
        ...

    @property
    def in_flight(self) -> int:
        """How many handlers are running."""
        ...

    @property
    def streams(self) -> int:
        """How many streams are running."""
        ...

    @property
    def queued(self) -> int:
        """How many frames and deliveries wait."""
        ...

    @property
    def is_idle(self) -> bool:
        """True while the connection is open, and nothing of it runs, waits or is being written."""
        ...

    async def drain(self) -> None:
        """Handle what has been received, then close."""
        ...

    # Any: an exchange, which belongs to the parts of a connection.
    def exchange_of(self, task: "asyncio.Task[Any] | None") -> Any:
        """Return the exchange that a task handles; None for a task of anybody else."""
        ...


class SubscribedTopics(Protocol):
    """The topics of a connection, as its subscriber sees them."""

    # Any in both: a topic, which the delivery knows.
    def receiver(self, name: str) -> Any:
        """Return the topic that takes what is sent to a name; None where the client is not subscribed."""
        ...

    async def joined(self, name: str) -> Any:
        """Do the same once the client knows that it is subscribed, where its group is being joined."""
        ...


class SubscribedConnection(Cancelling, Protocol):
    """A connection, as its subscriber sees it."""

    context: Context
    codec: Codec

    @property
    def consumer(self) -> "SubscribedConsumer":
        """The consumer that is served."""
        ...

    @property
    def is_closing(self) -> bool:
        """True from when the end has begun."""
        ...

    @property
    def subscriptions(self) -> SubscribedTopics | None:
        """The topics; None for a consumer without any."""
        ...

    def numbering(self, offset: int) -> AbstractContextManager[None]:
        """Send a number with the frames of a topic that the current task sends."""
        ...

    def bookmarking(self, offset: int, cursor: str) -> AbstractAsyncContextManager[None]:
        """Do the same, and send a cursor with the last of the frames."""
        ...

    def abandon(self, code: int) -> None:
        """Close without waiting for a peer that does not read."""
        ...

    def dropped(self, reason: str) -> None:
        """Count a message that does not reach the client."""
        ...

    def log_sent(self, action: Any) -> None:
        """Log a message that was sent."""
        ...


class ServedConnection(OwnConnection, Protocol):
    """A connection, as the handshake sees it."""

    accepted: bool
    admitted: bool

    @property
    def is_closing(self) -> bool:
        """True from when the end has begun."""
        ...

    def begin_authentication(self) -> None:
        """Note that the consumer finds out who the client is."""
        ...

    async def open_subscriber(self) -> None:
        """Prepare for what the channel layer brings."""
        ...

    async def leave_by_hand(self, group: str) -> None:
        """Take the connection's own channel out of a group."""
        ...


# A consumer


class MessageSender(Protocol):
    """Sends messages to its client."""

    async def send_message(self, message: BaseMessage) -> None:
        """Send a message to the client."""
        ...


class SendingConsumer(MessageSender, Protocol):
    """Sends messages to its client, or closes."""

    @property
    def spec(self) -> ConsumerSpec:
        """What it declares."""
        ...

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the connection."""
        ...


class HandlerOwner(SendingConsumer, Protocol):
    """Declares handlers and handles the messages that reach them: a consumer, or a part of one."""

    handler_timeout: float | None
    log_websocket_message: bool
    max_json_depth: int
    send_message_immediately: bool

    @property
    def should_send_completion(self) -> bool:
        """Whether completion messages are sent."""
        ...

    @property
    def all_log_ignored_actions(self) -> set[str]:
        """Actions that are not logged."""
        ...

    async def handle_json(self, content: dict[str, Any]) -> None:
        """Validate a message and handle it."""
        ...

    async def receive_message(self, message: BaseMessage) -> None:
        """Call the handler of a message."""
        ...

    async def handle_result(self, result: BaseMessage) -> None:
        """Send what a handler returned."""
        ...

    async def handle_validation_error(self, error: ValidationError) -> None:
        """Answer an invalid message."""
        ...

    async def handle_json_processing_error(self, error: Exception) -> None:
        """Log and answer a failure outside a handler."""
        ...

    async def handle_message_handler_error(
        self, error: Exception, action: str, message: BaseMessage
    ) -> None:
        """Log and answer a failure of a message handler."""
        ...

    async def handle_event_handler_error(
        self, error: Exception, action: str, event: BaseMessage
    ) -> None:
        """Log a failure of an event handler."""
        ...


class ReceivingConsumer(SendingConsumer, Protocol):
    """Receives what the channel layer brings."""

    group_message_metadata: bool
    layer_loss_policy: LayerLossPolicy
    send_resync_message: bool

    @property
    def should_send_completion(self) -> bool:
        """Whether completion messages are sent."""
        ...

    async def handle_group_message(self, event: GroupMessageEvent) -> None:
        """Pass a group's message to the client."""
        ...

    async def handle_channel_event(self, event_payload: EventPayload) -> None:
        """Validate an event and handle it."""
        ...

    async def receive_event(self, event: BaseMessage) -> None:
        """Call the handler of an event."""
        ...

    async def on_resync(self) -> None:
        """Learn that messages may have been lost."""
        ...


class SubscribedConsumer(ReceivingConsumer, Protocol):
    """Receives from a channel layer, within limits."""

    groups: list[str]
    event_queue: int
    layer_timeout: float
    log_websocket_message: bool
    outbound_policy: OutboundPolicy


class AdmittedConsumer(Protocol):
    """Decides about one client."""

    @property
    def spec(self) -> ConsumerSpec:
        """What it declares."""
        ...

    allowed_origins: OriginPolicy
    authenticate_before_accept: bool
    authentication_timeout: float | None
    channel_layer: Any
    groups: list[str]
    scope: Scope

    @property
    def authenticator(self) -> Authenticator | None:
        """Who decides; None admits everybody."""
        ...

    async def connect(self) -> None:
        """Accept the handshake."""
        ...

    async def accept(self) -> None:
        """Accept the handshake."""
        ...

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the connection."""
        ...

    async def get_groups(self) -> list[str]:
        """Return groups to join."""
        ...

    async def join_group(self, group: str) -> None:
        """Join a group."""
        ...

    async def post_authentication(self) -> None:
        """Run once the client is admitted."""
        ...


class ServedConsumer(HandlerOwner, SubscribedConsumer, Protocol):
    """All that a connection asks of the consumer that it serves."""

    scope: Scope
    camelize_dicts: bool
    discriminator_field: str
    send_heartbeat: bool
    disconnect_grace: float
    heartbeat_interval: float | None
    max_in_flight: int
    max_requests: int
    max_streams: int
    max_topics: int
    stream_ahead: int
    stream_stall_timeout: float
    max_message_bytes: int | None
    max_pending: int
    message_concurrency: int
    outbound_bytes: int
    outbound_frames: int
    send_timeout: float | None
    shutdown_grace: float

    @property
    def should_camelize(self) -> bool:
        """Whether field names travel in camel case."""
        ...

    async def websocket_connect(self, message: Any) -> None:
        """Admit the client or deny it."""
        ...

    async def websocket_receive(self, message: ASGIEvent) -> None:
        """Take one frame from the server."""
        ...

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Parse one frame."""
        ...

    async def receive_json(self, content: dict[str, Any]) -> None:
        """Take the envelope off a parsed frame."""
        ...

    async def websocket_disconnect(self, message: Any) -> None:
        """Run when the connection has ended."""
        ...
