"""Deliveries of the channel layer to one connection: from its own channel and from its groups."""

import asyncio
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from contextvars import Context
from typing import Any

from chanx.constants import CLOSE_SLOW_CONSUMER
from chanx.core._groups.fanout import Delivery, Resync, delivery_of
from chanx.core._groups.hub import Hub
from chanx.core._groups.mailbox import Mailbox
from chanx.core._groups.memberships import Memberships
from chanx.core._ports import FrameSink, SubscribedConnection, SubscribedConsumer, SubscribedTopics
from chanx.core._runtime.containment import contained
from chanx.core._runtime.queue import WorkQueue
from chanx.core._telemetry.failure_log import log_failure
from chanx.core.codec import Codec
from chanx.type_defs import ASGIEvent, ChannelLayer
from chanx.utils.logging import logger

__all__ = ["Subscriber"]


class Subscriber:
    """Passes deliveries to one connection: directly to its socket while it keeps up, else through a limited queue.

    Hubs use it as the member of a group.
    """

    __slots__ = (
        "_before",
        "_connection",
        "_hub",
        "_is_open",
        "_mailbox",
        "_memberships",
        "_queue",
        "_resync_waits",
        "_sender",
        "_was_slow",
        "codec",
        "consumer",
        "topics",
    )

    def __init__(
        self, connection: SubscribedConnection, layer: ChannelLayer, sender: FrameSink
    ) -> None:
        consumer = connection.consumer
        self._connection = connection
        self._sender = sender
        self._before = consumer.spec.integration.before_dispatch
        self.consumer: SubscribedConsumer = consumer
        self.codec: Codec = connection.codec
        self.topics: SubscribedTopics | None = connection.subscriptions
        self._hub = Hub.held(layer, self, consumer.spec.layer, timeout=consumer.layer_timeout)
        self._mailbox = Mailbox(layer, self._hub.outage, self._take)
        self._memberships: Memberships | None = None
        self._queue: WorkQueue[Delivery] | None = None
        self._resync_waits = False
        self._is_open = False
        self._was_slow = False

    # Opening

    async def open(self) -> None:
        """Get a channel of the layer. Raises what the layer raises, TimeoutError when it does not answer."""
        self._hub.check()
        if not self._hub.traits.has_free_channels:
            async with asyncio.timeout(self.consumer.layer_timeout):
                await self._mailbox.open()

    def begin(self) -> None:
        """Start delivering, with what has been queued."""
        self._is_open = True
        if self._queue is not None:
            self._queue.open()

    @property
    def channel(self) -> str:
        """The name of the connection's own channel; empty until `listen()` has been called."""
        return self._mailbox.name

    def listen(self) -> str:
        """Start listening to the connection's own channel, and return its name."""
        return self._mailbox.listen()

    @property
    def layer(self) -> ChannelLayer:
        """The channel layer."""
        return self._hub.layer

    @property
    def context(self) -> Context:
        """The context of the connection."""
        return self._connection.context

    # Groups

    async def join(self, group: str) -> None:
        """Join a group. Raises what the layer raises, TimeoutError when it does not answer."""
        await self._groups().join(group)

    async def leave(self, group: str) -> None:
        """Leave a group."""
        await self._groups().leave(group)

    async def leave_by_hand(self, group: str) -> None:
        """Remove the connection's own channel from a group."""
        await self._groups().leave_by_hand(group)

    async def leave_groups(self) -> None:
        """Leave every group, including those joined through the layer itself."""
        if self._memberships is not None or (self.channel and self.consumer.groups):
            await self._groups().leave_all(self.consumer.groups)

    def _groups(self) -> Memberships:
        if self._memberships is None:
            timeout = self.consumer.layer_timeout
            self._memberships = Memberships(self._hub, self, timeout=timeout)
        return self._memberships

    # Deliveries

    @property
    def keeps_up(self) -> bool:
        """True while nothing is queued ahead of a new message."""
        return (
            self._is_open and (self._queue is None or self._queue.is_idle) and self._sender.is_idle
        )

    async def write(self, texts: tuple[str, ...], action: Any) -> None:
        """Send frames at once."""
        for text in texts:
            await self._sender.send({"type": "websocket.send", "text": text})
        if self.consumer.log_websocket_message:
            # The hub's task writes this, and its context is not the connection's.
            self._connection.context.copy().run(self._connection.log_sent, action)

    def adopt(self, writing: asyncio.Task[None]) -> None:
        """Make a task that waits for the socket end with the connection."""
        self._sender.adopt(writing)

    def numbering(self, offset: int) -> AbstractContextManager[None]:
        """Send a number with the frames of a topic that the current task sends."""
        return self._connection.numbering(offset)

    def bookmarking(self, offset: int, cursor: str) -> AbstractAsyncContextManager[None]:
        """Do the same, and send a cursor with the last of the frames."""
        return self._connection.bookmarking(offset, cursor)

    @property
    def has_room(self) -> bool:
        """True while a delivery can be queued."""
        return self._queue is None or not self._queue.is_full

    def put(self, delivery: Delivery) -> None:
        """Queue a delivery, whether there is room or not."""
        if not self._connection.is_closing:
            self._prepared_queue().put(delivery)

    def queue(self, delivery: Delivery) -> None:
        """Queue a delivery. If the queue is full, apply the outbound policy."""
        if self._connection.is_closing:
            return
        queue = self._prepared_queue()
        if not queue.is_full:
            queue.put(delivery)
            return
        self._count_drop()
        policy = self.consumer.outbound_policy
        if policy == "drop_oldest":
            dropped = queue.drop_oldest()
            queue.put(delivery)
            if isinstance(dropped, Resync):  # still needed
                queue.put(dropped)
        elif policy == "close":
            self._connection.abandon(CLOSE_SLOW_CONSUMER)

    def resync(self) -> None:
        """Queue a resync; one that is already queued covers later losses."""
        if self._connection.is_closing or self._resync_waits:
            return
        # Topics with a history are repaired from that.
        if self._mailbox.name or (self._memberships and self._memberships.may_have_lost):
            self._resync_waits = True
            self._prepared_queue().put(Resync(self._begin_resync))

    def _begin_resync(self) -> None:
        self._resync_waits = False

    def _take(self, message: ASGIEvent) -> None:
        if self._hub.is_marker(message):
            return
        delivery = delivery_of(message)
        if delivery is not None:
            self.queue(delivery)

    def _prepared_queue(self) -> WorkQueue[Delivery]:
        # Created on first use: for most connections everything goes directly to the socket.
        if self._queue is None:
            self._queue = WorkQueue(
                self.handle,
                width=1,
                limit=self.consumer.event_queue,
                context=self._connection.context,
            )
            if self._is_open:
                self._queue.open()
        return self._queue

    async def handle(self, delivery: Delivery) -> None:
        """Handle one delivery. Raises only what ends the connection or the process."""
        try:
            if self._before is not None:
                await self._before()
            await delivery.give(self)
        except BaseException as error:
            failure = await contained(error, self._connection)
            log_failure(self.consumer, "Layer message failed", failure)

    def _count_drop(self) -> None:
        self._connection.dropped("slow_consumer")
        if not self._was_slow:
            self._was_slow = True
            # The hub's task does this, and its context is not the connection's.
            self._connection.context.copy().run(
                logger.warning,
                "Slow consumer: event_queue=%d is full (outbound_policy=%r)",
                self.consumer.event_queue,
                self.consumer.outbound_policy,
            )

    # Numbers

    @property
    def active(self) -> int:
        """How many deliveries are being handled."""
        return 0 if self._queue is None else self._queue.active

    @property
    def waiting(self) -> int:
        """How many deliveries are queued."""
        return 0 if self._queue is None else self._queue.waiting

    @property
    def layer_is_local(self) -> bool:
        """True if the channel layer is inside this process."""
        return self._hub.traits.is_local

    @property
    def layer_is_down(self) -> bool:
        """True while the channel layer does not answer."""
        return self._hub.outage.is_on

    # The end

    @property
    def is_idle(self) -> bool:
        """True while no delivery is queued or being handled."""
        return self._queue is None or self._queue.is_idle

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """The tasks that are handling deliveries now."""
        return frozenset() if self._queue is None else self._queue.tasks

    def clear(self) -> None:
        """Drop what is queued, and everything that comes later."""
        self._is_open = False
        if self._queue is not None:
            self._queue.clear()

    def seal(self) -> None:
        """Never listen to the connection's own channel."""
        self._mailbox.close()

    async def close(self) -> None:
        """Stop listening to the connection's own channel."""
        receiving = self._mailbox.close()
        if receiving is not None:
            await self._hub.stop_receiving(receiving, self._mailbox.name)

    async def release(self) -> None:
        """Release the hub, as the last step."""
        await self._hub.release(self)
