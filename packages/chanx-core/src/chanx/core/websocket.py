"""The consumer class: what users subclass, over the parts that do the work."""

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from chanx.core._connection.connection import Connection
from chanx.core._connection.dispatcher import text_of
from chanx.core._connection.handshake import admit
from chanx.core._endpoint import MessageEndpoint
from chanx.core._groups.fanout import group_content
from chanx.core._publisher import Publisher, ReceiveEvent
from chanx.core._telemetry.log_context import ConnectionFields, current
from chanx.core._telemetry.notifier import Notifier
from chanx.core._wire.error_frames import InvalidFrameError, malformed
from chanx.core.authenticator import BaseAuthenticator
from chanx.core.handlers import handler_of
from chanx.core.limits import spread
from chanx.core.observers import observers
from chanx.core.probe import PROBE_KEY, Probe
from chanx.core.topic import Topic
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import GroupCompleteMessage
from chanx.type_defs import ASGIEvent, ASGIReceive, ASGISend, GroupMessageEvent, Scope
from chanx.utils.logging import logger
from chanx.utils.scope import complete_scope, path_params

__all__ = ["ChanxWebsocketConsumerMixin", "ReceiveEvent"]


class ChanxWebsocketConsumerMixin(MessageEndpoint, Publisher[ReceiveEvent]):
    """Routes, validates, orders, answers and broadcasts typed messages on one WebSocket.

    Integrations combine it with the consumer base class of their framework. One instance serves one connection; the
    type parameter names the events that the class can be sent.
    """

    # Declare

    authenticator_class: ClassVar[type[BaseAuthenticator] | None] = None
    _authenticators = BaseAuthenticator

    topics: ClassVar[Sequence[type[Topic[Any]]]] = ()
    """The topics to which clients may subscribe; the first whose pattern fits a name takes it."""
    default_topic: ClassVar[type[Topic[Any]] | None] = None
    """One of the topics: clients are subscribed when they connect, and frames that name no topic are for it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        _check_topics(cls)
        super().__init_subclass__(**kwargs)
        if "limits" in vars(cls):
            spread(cls.limits, cls)

    # Of one connection

    if TYPE_CHECKING:
        channel_name: str
    else:
        # The frameworks annotate both, one as a class variable and one as an instance's.
        channel_layer_alias = "default"

        @property
        def channel_name(self) -> str:
            """The name of this connection's own channel, which receives from when it is first asked for."""
            return self._connection.listen()

    scope: Scope
    groups: list[str]
    channel_layer: Any  # whichever library's layer
    authenticator: BaseAuthenticator | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        own = list(self.groups or ())
        super().__init__(*args, **kwargs)
        self.groups = list(dict.fromkeys([*own, *type(self).spec.extra_groups]))
        if self.authenticator_class is not None:
            self.authenticator = self.authenticator_class(self.send_message)
            self.authenticator.consumer = self

    @property
    def subscriptions(self) -> dict[str, Topic[Any]]:
        """The topics to which this client is subscribed, by name."""
        topics = self._connection.subscriptions
        return {} if topics is None else topics.topics

    @property
    def url_params(self) -> dict[str, Any]:
        """The parameters of the path."""
        return path_params(self.scope)

    # Lifecycle

    async def __call__(self, scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        """Serve one WebSocket as an ASGI application."""
        self.scope = complete_scope(scope)
        layer = self.spec.layer.find()
        self.channel_layer = layer
        outside = current.get()
        current.set((ConnectionFields(type(self), self.scope), 0, None))
        try:
            found = observers()
            notifier = Notifier(self, found) if found else None
            connection = Connection(self, receive, send, layer, notifier)
            self._connection, self._frames = connection, connection.frames
            probe: Probe | None = scope.get(PROBE_KEY)
            if probe is not None:
                probe(connection)
            await connection.run()
        finally:
            # Not by a token: a server may close its application from another context.
            current.set(outside)

    async def websocket_connect(self, message: Any) -> None:
        """Admit the connection or deny it.

        The order: origin, `connect()`, authentication, groups, `post_authentication()`. Client frames that come
        meanwhile wait, and are handled only if the connection is admitted.
        """
        await admit(self, self._connection)

    async def connect(self) -> None:
        """Accept the handshake. Override to choose a subprotocol or headers, or to refuse.

        An override ends with `await self.accept(...)` or `await self.close()`. It finds `channel_layer` and
        `channel_name` in place. The client is not admitted yet, so `disconnect()` may never be called: acquire what
        it releases in `post_authentication()`.

        Join groups with `join_group()`: they are left however the connection ends. A group that is joined on the
        channel layer itself (`group_add()`) is left only if its name is added to `self.groups`.
        """
        await self.accept()

    async def get_groups(self) -> list[str]:
        """Return groups to join in addition to `groups`, once the client is authenticated. Override."""
        return []

    async def on_resync(self) -> None:
        """Run when the channel layer is back after it failed: messages of groups may have been lost. Override."""

    async def post_authentication(self) -> None:
        """Run once the connection is admitted: authenticated, and its groups joined. Override."""

    async def websocket_disconnect(self, message: Any) -> None:
        """End the connection: call `disconnect()` if it was admitted. Its handlers have ended."""
        # With the log of messages off, servers usually say as much themselves.
        level = logging.INFO if self.log_websocket_message else logging.DEBUG
        logger.log(level, "Disconnecting websocket, close code %s", message["code"])
        if self._connection.admitted:
            await self.disconnect(message["code"])

    async def disconnect(self, code: int) -> None:
        """Run when an admitted connection has ended, however it ended. Override.

        It is admitted once origin, `connect()`, authentication and groups have passed, also if
        `post_authentication()` raises. Its groups are left afterwards.
        """

    async def accept(
        self, subprotocol: str | None = None, headers: Iterable[tuple[bytes, bytes]] | None = None
    ) -> None:
        """Accept the handshake."""
        await self._connection.accept(subprotocol, list(headers or ()))

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        """Close the connection behind what was sent before; 1000 without a code."""
        await self._connection.close(None if isinstance(code, bool) else code, reason)

    # Receive

    async def websocket_receive(self, message: ASGIEvent) -> None:
        """Take one frame from the server."""
        if message.get("text") is None:
            await self.receive(bytes_data=message.get("bytes"))
        else:
            await self.receive(text_data=message["text"])

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Parse one frame and pass it to `receive_json()`."""
        try:
            content = await self.decode_json(text_of({"text": text_data}))
        except InvalidFrameError:
            raise
        except Exception as error:
            logger.debug("Frame could not be parsed: %r", error)
            raise malformed("json_invalid", "Invalid JSON") from error
        await self.receive_json(content, **kwargs)

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """Parse the text of a frame."""
        return cls.spec.codec(cls.spec.wire_format).parse(text_data)

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        """Take the envelope off a parsed frame and pass the message to `handle_json()`."""
        await self._frames.handle_object(content)

    # Send

    async def _write(self, message: BaseMessage) -> None:
        if self.spec.shortcuts.send:
            await self._connection.send_text(self._connection.codec.encode(message), message.action)
        else:
            await self.send_json(message.model_dump(mode="json"))

    async def send_json(self, content: dict[str, Any], close: bool = False) -> None:
        """Send a message that is a dictionary, with `action` and the field names of its class."""
        if self.spec.shortcuts.send:
            text = self._connection.codec.encode_object(content)
            await self._connection.send_text(text, content.get("action"))
        else:
            await self.send(text_data=await self.encode_json(content))
        if close:
            await self.close()

    @classmethod
    async def encode_json(cls, content: Any) -> str:
        """Write a message as text."""
        return cls.spec.codec(cls.spec.wire_format).encode_object(content)

    async def send(
        self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False
    ) -> None:
        """Send one frame."""
        if text_data is not None:
            await self._connection.send_text(text_data, None)
        elif bytes_data is not None:
            await self._connection.send_bytes(bytes_data)
        else:
            raise ValueError("You must pass one of bytes_data or text_data")
        if close:
            await self.close(close)

    # Groups

    async def join_group(self, group: str) -> None:
        """Join a group, and leave it when the connection ends."""
        await self._connection.join(group)
        if group not in self.groups:
            self.groups.append(group)

    async def leave_group(self, group: str) -> None:
        """Leave a group."""
        await self._connection.leave(group)
        if group in self.groups:
            self.groups.remove(group)

    async def broadcast_message(
        self,
        message: BaseMessage | dict[str, Any],
        groups: Collection[str] | str | None = None,
        *,
        exclude_current: bool = False,
    ) -> None:
        """Send a message to every member of the groups, `self.groups` by default.

        Members receive `is_current` beside it, true for the sender, unless `exclude_current` leaves the sender out.
        """
        content = message.model_dump(mode="json") if isinstance(message, BaseMessage) else message
        event: GroupMessageEvent = {
            "type": "handle_group_message",
            "message": content,
            "exclude_current": exclude_current,
            "from_channel": self._connection.sender_channel,
        }
        await self._send_to_groups(self.groups if groups is None else groups, event)

    async def handle_group_message(self, event: GroupMessageEvent) -> None:
        """Pass a group's message to the client, with `is_current` beside it."""
        sender = event.get("from_channel")
        is_current = bool(sender) and sender == self._connection.channel
        if is_current and event.get("exclude_current"):
            return
        shown = is_current if self.group_message_metadata else None
        await self.send_json(group_content(event, self._connection.codec, is_current=shown))
        if self.should_send_completion:
            await self.send_message(GroupCompleteMessage())


# Any: whatever was written.
def _check_topics(owner: type[Any]) -> None:
    """Raise TypeError for topics that are none, and for a default that is not among them."""
    topics, default = owner.topics, owner.default_topic
    if handler_of(topics) is not None or handler_of(default) is not None:
        return
    where = f"{owner.__name__}.topics"
    if not isinstance(topics, list | tuple):
        raise TypeError(f"{where} must be a list of Topic classes, and is {topics!r}.")
    for topic in cast("Sequence[Any]", topics):
        if not (isinstance(topic, type) and issubclass(topic, Topic)):
            raise TypeError(f"{where} must be a list of Topic classes, and has {topic!r}.")
    if default is not None and default not in topics:
        raise TypeError(
            f"{owner.__name__}.default_topic must be one of its topics: add it to them."
        )
