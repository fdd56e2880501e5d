"""The topics of one connection: subscribing to them, and giving them up."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol

from typing_extensions import TypeIs

from chanx.constants import MAX_TOPIC_LENGTH
from chanx.core._connection.dispatcher import FrameDispatcher
from chanx.core._connection.outlet import TOPIC_BEFORE_REF, Outlet, topic_ending
from chanx.core._connection.recovery import Recovery
from chanx.core._declarations.topic_names import InvalidTopicError
from chanx.core._history.store import History, HistoryUnavailable
from chanx.core._ports import HandlerOwner, OwnConnection
from chanx.core._runtime.containment import contained
from chanx.core._telemetry.failure_log import log_failure
from chanx.core.codec import Codec, with_ref
from chanx.core.exceptions import DeniedError, LayerUnavailableError, MessageError
from chanx.core.spec import TopicClass
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import ErrorMessage, ResyncMessage
from chanx.messages.topic import (
    RecoveredMessage,
    SubscribedMessage,
    TopicError,
    TopicErrorReason,
    UnsubscribedMessage,
)
from chanx.utils.logging import logger

__all__ = ["RefusedError", "ServedTopic", "Subscription", "Subscriptions", "is_topic_name"]


class ServedTopic(HandlerOwner, Protocol):
    """A topic of this connection."""

    params: dict[str, Any]
    history: History | None
    recovered: bool

    @property
    def group(self) -> str:
        """The group of the channel layer that its subscribers join."""
        ...

    def _attach(self, connection: "TopicConnection") -> FrameDispatcher:
        """Make the topic handle frames of a connection."""
        ...

    async def authorize(self, **params: Any) -> bool:
        """Tell whether the client may subscribe."""
        ...

    async def on_subscribe(self) -> None:
        """Learn that the client is subscribed."""
        ...

    async def on_unsubscribe(self) -> None:
        """Learn that the client is no longer subscribed."""
        ...


class TopicConnection(OwnConnection, Protocol):
    """A connection, as its topics see it."""

    @property
    def outlet(self) -> Outlet:
        """The way to the client."""
        ...

    @property
    def is_closing(self) -> bool:
        """True from when the end has begun."""
        ...

    async def join(self, group: str) -> None:
        """Join a group."""
        ...

    async def leave(self, group: str) -> None:
        """Leave a group."""
        ...

    def recovery(
        self, topic: "ServedTopic", name: str, tell_resync: Callable[[], Coroutine[Any, Any, None]]
    ) -> Recovery | None:
        """Return what brings the history of a topic to the client; None where it has none."""
        ...

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the connection."""
        ...

    async def end_streams(self, owner: HandlerOwner, reason: MessageError) -> None:
        """End the streams of one owner with an error."""
        ...

    def dispatcher_for(
        self, owner: HandlerOwner, outlet: Outlet, *, writes_results: bool
    ) -> FrameDispatcher:
        """Return what dispatches frames to the handlers of an owner."""
        ...


class Subscription:
    """One topic to which the client is subscribed. It has begun when `on_subscribe()` was called."""

    __slots__ = ("frames", "has_begun", "recovery", "topic")

    def __init__(self, topic: ServedTopic, frames: FrameDispatcher) -> None:
        self.topic = topic
        self.frames = frames
        self.recovery: Recovery | None = None
        self.has_begun = False


class RefusedError(Exception):
    """A request about a topic is refused: by an error frame, or by `closing` the connection with code and reason."""

    def __init__(self, reason: str, detail: str, *, closing: tuple[int, str] | None = None) -> None:
        self.payload = TopicError(reason=reason, detail=detail)
        self.closing = closing


class Subscriptions:
    """Subscribes one client to topics, at most `limit` at once.

    Each request is handled at its turn in the queue. Two about one topic never run at once, whatever
    `message_concurrency` is.
    """

    def __init__(
        self, consumer: HandlerOwner, connection: TopicConnection, codec: Codec, *, limit: int
    ) -> None:
        self._consumer = consumer
        self._connection = connection
        self._codec = codec
        self._limit = limit
        self._kinds = consumer.spec.topics
        self._integration = consumer.spec.integration
        self.default: str | None = None
        """The topic of frames that name none."""
        self._open: dict[str, Subscription] = {}
        # Names about which a request is being handled.
        self._busy: dict[str, asyncio.Future[None]] = {}
        # Names whose group is joined, or is about to be, while the client does not know that yet.
        self._joining: dict[str, asyncio.Future[None]] = {}

    @property
    def topics(self) -> dict[str, Any]:
        """The topics by name."""
        return {name: subscription.topic for name, subscription in self._open.items()}

    def get(self, name: object) -> Subscription | None:
        """Return the subscription to a topic; None where the client has none."""
        return self._open.get(name) if isinstance(name, str) else None

    async def settled(self, name: str) -> Subscription | None:
        """Do the same once no request about the topic is being handled."""
        while name in self._busy:
            await asyncio.wait([self._busy[name]])
        return self._open.get(name)

    # Requests about topics

    async def subscribe(self, name: str, ref: str | None, since: object = None) -> None:
        """Subscribe the client, and tell it so, also where it is subscribed already. Raises RefusedError.

        `since` is the cursor up to which it has the history of the topic, or anything else.
        """
        async with self._alone(name):
            if name in self._open:
                await self._tell(_confirmed_again(self._open[name]), name, ref)
                return
            subscription = self._made(name)
            await self._authorize(subscription.topic, name)
            await self._join(subscription, name, ref, since)
            if not self._connection.is_closing:
                subscription.has_begun = True
                await self._call_on_subscribe(subscription.topic, name)
                if subscription.recovery is not None:
                    subscription.recovery.start()

    def _made(self, name: str) -> Subscription:
        if len(self._open.keys() | self._busy.keys()) > self._limit:
            raise RefusedError(
                TopicErrorReason.TOO_MANY_TOPICS, f"At most {self._limit} topics on one connection"
            )
        kind, params = self._find(name)
        topic: ServedTopic = kind(self._consumer, name, params)
        # Only the connection calls it: users see no such name on their topics.
        frames = topic._attach(self._connection)  # pyright: ignore[reportPrivateUsage]
        return Subscription(topic, frames)

    def _find(self, name: str) -> tuple[TopicClass, dict[str, Any]]:
        for kind in self._kinds:
            try:
                params = kind.names.match(name)
            except InvalidTopicError as error:
                raise RefusedError(TopicErrorReason.INVALID_TOPIC, str(error)) from None
            if params is not None:
                return kind, params
        raise RefusedError(TopicErrorReason.UNKNOWN_TOPIC, f"Unknown topic {name!r}")

    async def _authorize(self, topic: ServedTopic, name: str) -> None:
        """Ask the topic. Raises RefusedError for anything but yes."""
        try:
            async with asyncio.timeout(topic.handler_timeout):
                is_allowed = await topic.authorize(**topic.params)
        except BaseException as error:
            raise self._refusal_for(await contained(error, self._connection), topic, name) from None
        if not is_allowed:
            raise _unauthorized(name)

    async def _join(
        self, subscription: Subscription, name: str, ref: str | None, since: object
    ) -> None:
        """Join the group and confirm that. Raises RefusedError where the channel layer or the history fails."""
        joining = self._joining[name] = asyncio.get_running_loop().create_future()
        try:
            # First: whatever is sent to the topic once the client knows that it is subscribed, reaches it.
            await self._connection.join(subscription.topic.group)
            # What comes meanwhile waits in `joined()`, so that the confirmation is the first frame.
            await self._tell(await self._begin_recovery(subscription, name, since), name, ref)
            self._open[name] = subscription
        except BaseException as error:
            await self._end_recovery(subscription)
            await self._connection.leave(subscription.topic.group)
            failure = await contained(error, self._connection)
            raise self._refusal_for(failure, subscription.topic, name) from None
        finally:
            del self._joining[name]
            joining.set_result(None)

    async def _begin_recovery(
        self, subscription: Subscription, name: str, since: object
    ) -> BaseMessage:
        """Find out where in the history the client starts, and return the confirmation that says so."""

        async def tell_resync() -> None:
            await self._tell(ResyncMessage(), name, None)

        topic = subscription.topic
        subscription.recovery = self._connection.recovery(topic, name, tell_resync)
        if subscription.recovery is None:
            return SubscribedMessage()
        payload = await subscription.recovery.find_start(since)
        topic.recovered = payload.recovered
        return RecoveredMessage(payload=payload)

    async def _end_recovery(self, subscription: Subscription) -> None:
        recovery, subscription.recovery = subscription.recovery, None
        if recovery is not None:
            await recovery.end()

    async def _call_on_subscribe(self, topic: ServedTopic, name: str) -> None:
        try:
            await topic.on_subscribe()
        except BaseException as error:
            failure = await contained(error, self._connection)
            await self.refuse(name, None, self._refusal_for(failure, topic, name))

    async def unsubscribe(self, name: str, ref: str | None) -> None:
        """Give a topic up, if the client has it, and tell it so."""
        async with self._alone(name):
            subscription = self._open.pop(name, None)
            if subscription is not None:
                try:
                    await self._end(subscription)
                finally:
                    await self._connection.leave(subscription.topic.group)
            await self._tell(UnsubscribedMessage(), name, ref)

    async def _end(self, subscription: Subscription) -> None:
        topic = subscription.topic
        await self._end_recovery(subscription)
        await self._connection.end_streams(
            topic, MessageError("unsubscribed", "The topic was given up")
        )
        if not subscription.has_begun:
            return
        try:
            await topic.on_unsubscribe()
        except BaseException as error:
            failure = await contained(error, self._connection)
            self._connection.failed(failure)
            log_failure(topic, "Failed to unsubscribe", failure)

    async def end(self) -> None:
        """Give every topic up, because the connection has ended; its groups are left by whoever ends it."""
        while self._open:
            _, subscription = self._open.popitem()
            try:
                await self._end(subscription)
            except asyncio.CancelledError:
                # The hook itself has raised it, which keeps none of the others from running.
                logger.exception("Error while a topic ended")

    async def open_default(self, values: dict[str, Any]) -> None:
        """Subscribe to the topic of frames that name none, or close with 4403.

        Raises ValueError where the parameters of the path do not make a name.
        """
        default = self._consumer.spec.default_topic
        if default is None:
            return
        name = self.default = default.names.fill(values)
        try:
            await self.subscribe(name, None)
        except RefusedError as refusal:
            await self.refuse(name, None, refusal)
            # Without effect where the refusal has closed the connection.
            await self._connection.close(4403, refusal.payload.detail)

    @asynccontextmanager
    async def _alone(self, name: str) -> AsyncGenerator[None]:
        await self.settled(name)
        busy = self._busy[name] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            del self._busy[name]
            busy.set_result(None)

    # Deliveries

    @property
    def is_idle(self) -> bool:
        """True while no client is sent what it missed."""
        return all(
            subscription.recovery is None or subscription.recovery.is_idle
            for subscription in self._open.values()
        )

    def receiver(self, name: str) -> Any:
        """Return the topic that takes what is sent to a name; None where the client is not subscribed."""
        subscription = self._open.get(name)
        return None if subscription is None else subscription.topic

    async def joined(self, name: str) -> Any:
        """Do the same once the client knows that it is subscribed, where its group is being joined."""
        joining = self._joining.get(name)
        if joining is None:
            return None
        await asyncio.wait([joining])
        return self.receiver(name)

    # Answers

    def _refusal_for(self, error: Exception, topic: HandlerOwner, name: object) -> RefusedError:
        """Say what the client is told of an exception; a failure is logged, and its text stays here."""
        if isinstance(error, RefusedError):
            return error
        if isinstance(error, DeniedError):
            return _unauthorized(name)
        items = self._integration.error_items_of(error)
        if items:
            return RefusedError(str(items[0]["type"]), str(items[0]["msg"]))
        closing = self._integration.close_of(error)
        if closing is not None:
            return RefusedError(TopicErrorReason.UNAUTHORIZED, closing[1], closing=closing)
        self._connection.failed(error)
        what = "Failed"
        if isinstance(error, LayerUnavailableError):
            what = "Channel layer unavailable"
        elif isinstance(error, HistoryUnavailable):
            what = "History unavailable"
        log_failure(topic, f"{what} to subscribe", error)
        return RefusedError(TopicErrorReason.UNAVAILABLE, f"Failed to subscribe to {name!r}")

    async def refuse(self, name: object, ref: str | None, refusal: RefusedError) -> None:
        """Send the error that answers a request about a topic, or close the connection."""
        payload = refusal.payload
        logger.debug("Topic error: %s", payload.detail, extra={"reason": payload.reason})
        if refusal.closing is not None:
            await self._connection.close(*refusal.closing)
            return
        await self._tell(
            ErrorMessage(payload=payload.model_dump()), name if is_topic_name(name) else None, ref
        )

    async def refuse_failure(self, name: object, ref: str | None, error: BaseException) -> None:
        """Log what went wrong with a request, and send the error that answers it."""
        failure = await contained(error, self._connection)
        await self.refuse(name, ref, self._refusal_for(failure, self._consumer, name))

    async def _tell(self, message: BaseMessage, name: str | None, ref: str | None) -> None:
        text = self._codec.encode(message)
        if name is None:
            text = with_ref(text, ref)
        else:
            text = with_ref(f"{text[:-1]}{topic_ending(name)}", ref, TOPIC_BEFORE_REF)
        await self._connection.send_text(text, message.action)


def is_topic_name(name: object) -> TypeIs[str]:
    """Tell whether a value may name a topic."""
    return isinstance(name, str) and 0 < len(name) <= MAX_TOPIC_LENGTH


def _unauthorized(name: object) -> RefusedError:
    return RefusedError(TopicErrorReason.UNAUTHORIZED, f"Not allowed to subscribe to {name!r}")


def _confirmed_again(subscription: Subscription) -> BaseMessage:
    recovery = subscription.recovery
    if recovery is None:
        return SubscribedMessage()
    return RecoveredMessage(payload=recovery.confirmed_again())
