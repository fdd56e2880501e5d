"""The life of one connection: its state and its end, over the parts that read, write and handle."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import Context, copy_context
from enum import IntEnum
from typing import Any

from chanx.constants import (
    CLOSE_INTERNAL_ERROR,
    CLOSE_LAYER_UNAVAILABLE,
    CLOSE_SERVICE_RESTART,
    CLOSE_SLOW_CONSUMER,
    CLOSE_TOO_LARGE,
)
from chanx.core._connection.client_requests import ClientRequests
from chanx.core._connection.control_frames import ControlFrames
from chanx.core._connection.correlation import Exchange, Exchanges
from chanx.core._connection.dispatcher import FrameDispatcher
from chanx.core._connection.handler_runner import HandlerRunner, ObservedRunner
from chanx.core._connection.hooked_dispatcher import HookedDispatcher
from chanx.core._connection.keepalive import Keepalive
from chanx.core._connection.live_work import LiveWork
from chanx.core._connection.message_log import MessageLog
from chanx.core._connection.open_connections import connections, is_draining
from chanx.core._connection.outlet import Outlet
from chanx.core._connection.receiver import FrameReceiver, FrameTooLargeError
from chanx.core._connection.recovery import Recovery
from chanx.core._connection.sender import FrameSender
from chanx.core._connection.streams import Streams
from chanx.core._connection.subscriptions import ServedTopic, Subscriptions
from chanx.core._connection.topic_frames import TopicFrames
from chanx.core._groups.subscriber import Subscriber
from chanx.core._history.memory import store_of
from chanx.core._ports import HandlerOwner, MessageSender, Notifications, ServedConsumer
from chanx.core._runtime.containment import contained
from chanx.core._runtime.queue import WorkQueue
from chanx.core._runtime.tasks import cancel_tasks, spawn, take_back_cancellation, uninterrupted
from chanx.core._telemetry.counters import counters
from chanx.core._telemetry.failure_log import log_failure
from chanx.core._wire.schema import WireFormat
from chanx.core.codec import BEFORE_REF, Codec
from chanx.core.exceptions import LayerUnavailableError, MessageError
from chanx.core.layers import REFUSALS, check_group_name
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import HeartbeatMessage
from chanx.type_defs import ASGIEvent, ASGIReceive, ASGISend, ChannelLayer
from chanx.utils.logging import logger
from chanx.utils.scope import path_params

__all__ = ["Connection", "State"]

# The close code of a connection that ended without one (RFC 6455, section 7.4.1).
_ABNORMAL = 1006
# A close frame has room for so many bytes of a reason (RFC 6455, section 5.5).
_MAX_REASON = 123
# Seconds that a cancelled handler has at least to clean up.
_CLEANUP = 1.0

_HOT_OPTIONS = ("send_completion", "log_websocket_message", "camelize", "group_message_metadata")


class State(IntEnum):
    """Where a connection is; client frames are handled in OPEN only."""

    CONNECTING = 0
    AUTHENTICATING = 1
    OPEN = 2
    CLOSING = 3
    CLOSED = 4


class Connection:
    """Runs one consumer on one socket.

    The receiver puts frames into one queue, the channel layer deliveries into another; neither waits for a handler.
    However the connection ends, `run()` returns with every task ended and every group left.

    `context` is what middleware, `connect()`, the authenticator and `post_authentication()` have set: each message and
    each delivery is handled in a copy of it.
    """

    # Without a dictionary of its own: with so many attributes, that would take 1.5 kB of each connection.
    __slots__ = (
        "__weakref__",
        "_control",
        "_frame_queue",
        "_is_observed",
        "_keepalive",
        "_layer",
        "_live",
        "_opening",
        "_process_layer",
        "_receive",
        "_receiver",
        "_requests",
        "_send",
        "_sender",
        "_streams",
        "_task",
        "_topic_frames",
        "accepted",
        "admitted",
        "cancels_handlers",
        "close_code",
        "codec",
        "consumer",
        "context",
        "exchanges",
        "frames",
        "loop",
        "notifier",
        "outlet",
        "state",
        "subscriber",
        "subscriptions",
    )

    def __init__(
        self,
        consumer: ServedConsumer,
        receive: ASGIReceive,
        send: ASGISend,
        layer: ChannelLayer | None,
        notifier: Notifications | None,
    ) -> None:
        self.consumer = consumer
        self.context: Context = copy_context()
        self.state: State = State.CONNECTING
        self.cancels_handlers: bool = False
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        for option in _HOT_OPTIONS:
            # From here on an attribute of the instance, which handlers may still change: it is read for each message.
            setattr(consumer, option, getattr(consumer, option))
        self.admitted: bool = False
        self.close_code: int = _ABNORMAL
        wire = WireFormat(
            consumer.discriminator_field, consumer.should_camelize, consumer.camelize_dicts
        )
        spec = consumer.spec
        self.codec: Codec = spec.codec(wire)
        self._sender = FrameSender(
            send,
            max_frames=consumer.outbound_frames,
            max_bytes=consumer.outbound_bytes,
            timeout=consumer.send_timeout,
            on_stall=self._peer_stalled,
            on_gone=self._peer_gone,
        )
        self.notifier: Notifications | None = notifier
        log = MessageLog(consumer)
        self.exchanges: Exchanges = Exchanges()
        self.outlet: Outlet = Outlet(self._sender, log, self.exchanges, self.codec)
        # Made when something needs them, as most connections never do.
        self._live: LiveWork | None = None
        self._streams: Streams | None = None
        self._requests: ClientRequests | None = None
        self.frames: FrameDispatcher = self._dispatcher()
        self.subscriber: Subscriber | None = None
        self._topic_frames: TopicFrames | None = None
        self.subscriptions: Subscriptions | None = self._prepared_subscriptions()
        self._receive = receive
        self._send = send
        self._layer = layer
        self._process_layer = spec.layer.of_process(layer)
        self._control: ControlFrames | None = None
        self._frame_queue: WorkQueue[ASGIEvent] = WorkQueue(
            self._handle_frame if spec.controls else self._handle,
            width=min(consumer.message_concurrency, consumer.max_in_flight),
            limit=consumer.max_pending,
            max_active=consumer.max_in_flight,
            on_blocked=self.frames.log_blocked,
            context=self.context,
        )
        self._receiver = FrameReceiver(
            receive, self.frames, self._frame_queue, max_bytes=consumer.max_message_bytes
        )
        if spec.controls:
            self._look_for_control()
        self._task: asyncio.Task[Any] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._keepalive: Keepalive | None = None
        self.accepted: bool = False
        self._is_observed = False

    def _dispatcher(self) -> FrameDispatcher:
        consumer, outlet = self.consumer, self.outlet
        hook = consumer.spec.shortcuts.receive
        if hook is None:
            return self.dispatcher_for(consumer, outlet, writes_results=True)
        return HookedDispatcher(
            consumer, self, outlet, self._runner(consumer, outlet, writes_results=True), hook
        )

    def _prepared_subscriptions(self) -> Subscriptions | None:
        consumer, frames = self.consumer, self.frames
        if not consumer.spec.topics:
            return None
        subscriptions = Subscriptions(consumer, self, self.codec, limit=consumer.max_topics)
        self._topic_frames = TopicFrames(consumer, frames, subscriptions)
        frames.use_topics(self._topic_frames)
        return subscriptions

    @property
    def _handle(self) -> Callable[[ASGIEvent], Coroutine[Any, Any, None]]:
        """What handles a frame at its turn."""
        # Hooks that a class overrides see the frames of topics too, before `handle_object()` passes them on.
        if self._topic_frames is None or self.consumer.spec.shortcuts.receive is not None:
            return self.frames.handle
        return self._topic_frames.handle

    def dispatcher_for(
        self, owner: HandlerOwner, outlet: Outlet, *, writes_results: bool
    ) -> FrameDispatcher:
        """Return what dispatches frames to the handlers of an owner on this connection."""
        runner = self._runner(owner, outlet, writes_results=writes_results)
        return FrameDispatcher(owner, self, outlet, runner)

    def _runner(
        self, owner: HandlerOwner, outlet: Outlet, *, writes_results: bool
    ) -> HandlerRunner:
        streams = self._prepared_streams() if owner.spec.handlers.claims else None
        kind = HandlerRunner if self.notifier is None else ObservedRunner
        return kind(owner, self, outlet, streams, writes_results=writes_results)

    def _prepared_live(self) -> LiveWork:
        if self._live is None:
            self._live = LiveWork()
        return self._live

    def _prepared_streams(self) -> Streams:
        if self._streams is None:
            consumer = self.consumer
            self._streams = Streams(
                self,
                self.outlet,
                self._prepared_live(),
                limit=consumer.max_streams,
                ahead=consumer.stream_ahead,
                stall_timeout=consumer.stream_stall_timeout,
            )
        return self._streams

    def _look_for_control(self) -> ClientRequests:
        """Look at each frame before it waits: for a class with control actions, or from the first request on."""
        if self._requests is None:
            consumer, live = self.consumer, self._prepared_live()
            live.watch(self._frame_queue)
            self._requests = ClientRequests(
                self.outlet,
                live,
                self.codec.wire,
                max_depth=consumer.max_json_depth,
                limit=consumer.max_requests,
            )
            self._control = ControlFrames(
                consumer, self.frames, self._handle, self._frame_queue, live, self._requests
            )
            self._receiver.use_control(self._control)
        return self._requests

    async def _handle_frame(self, event: ASGIEvent) -> None:
        if self._control is not None:
            await self._control.handle(event)

    async def request(
        self,
        message: BaseMessage,
        answer_type: type[BaseMessage],
        timeout: float | None,
        sender: MessageSender,
    ) -> BaseMessage:
        """Ask the client, and return its answer. Raises TimeoutError, and RuntimeError for too many requests."""
        return await self._look_for_control().ask(message, answer_type, timeout, sender)

    def exchange_of(self, task: asyncio.Task[Any] | None) -> Exchange | None:
        """Return the exchange that a task handles; None for a task of anybody else."""
        return self.exchanges.of(task)

    async def run(self) -> None:
        """Serve the connection from handshake to end."""
        self._task = asyncio.current_task()
        connections.add(self)
        try:
            event = await self._receive()
            if event["type"] == "websocket.connect":
                if is_draining(self.loop):
                    await self.close(CLOSE_SERVICE_RESTART)
                    return
                self._opening = spawn(self._open(event), context=self.context)
                code = await self._receiver.read()
                if code is not None:
                    self.close_code = code
        except FrameTooLargeError:
            limit = self.consumer.max_message_bytes
            logger.warning("Frame too large (max_message_bytes=%s), connection closed", limit)
            await self.close(CLOSE_TOO_LARGE)
        finally:
            await uninterrupted(self._finish(), context=self.context.copy())

    # Opening

    def begin_authentication(self) -> None:
        """Note that the consumer finds out who the client is."""
        self.state = State.AUTHENTICATING

    async def _open(self, event: ASGIEvent) -> None:
        try:
            await self.consumer.websocket_connect(event)
            if self.subscriptions is not None and not self.is_closing:
                await self.subscriptions.open_default(path_params(self.consumer.scope))
        except LayerUnavailableError as error:
            log_failure(self.consumer, "Channel layer unavailable at connect", error)
            self.failed(error)
            await self.close(CLOSE_LAYER_UNAVAILABLE)
        except BaseException as error:
            failure = await contained(error, self)
            log_failure(self.consumer, "Error while connecting", failure)
            self.failed(failure)
            await self.close(CLOSE_INTERNAL_ERROR)
        if not self.is_closing:
            self._begin()

    def _begin(self) -> None:
        self.state = State.OPEN
        self.admitted = True
        if self.notifier is not None:
            self._is_observed = True
            self.notifier.connected()
        self._frame_queue.open()
        if self.subscriber is not None:
            self.subscriber.begin()
        interval = self.consumer.heartbeat_interval
        if interval is not None and self._wants_heartbeat():
            self._keepalive = Keepalive(self._sender, interval, self._send_heartbeat)

    def _wants_heartbeat(self) -> bool:
        consumer = self.consumer
        if not consumer.spec.has_heartbeat:
            return False
        query: bytes = consumer.scope.get("query_string") or b""
        return consumer.send_heartbeat or b"heartbeat=1" in query.split(b"&")

    async def _send_heartbeat(self) -> None:
        text = self.codec.encode(HeartbeatMessage())
        await self._sender.send({"type": "websocket.send", "text": text})

    async def accept(self, subprotocol: str | None, headers: list[tuple[bytes, bytes]]) -> None:
        """Accept the handshake."""
        self.accepted = True
        await self._send(
            {"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers}
        )

    async def open_subscriber(self) -> None:
        """Prepare for what the channel layer brings. Raises LayerUnavailableError."""
        if self._layer is not None and self.subscriber is None and self._process_layer is None:
            self.subscriber = Subscriber(self, self._layer, self._sender)
            try:
                await self.subscriber.open()
            except Exception as error:
                raise self._unavailable(error) from error

    def listen(self) -> str:
        """Return the name of the connection's own channel. Raises RuntimeError without a layer."""
        return self._with_layer().listen()

    @property
    def sender_channel(self) -> str:
        """The channel that says whose broadcast it is; a connection that ends is not given one for that."""
        return self.channel if self.is_closing else self.listen()

    @property
    def channel(self) -> str:
        """The name of the connection's own channel; empty while nobody has asked for it."""
        return "" if self.subscriber is None else self.subscriber.channel

    async def join(self, group: str) -> None:
        """Join a group. Raises LayerUnavailableError, TypeError for a name that the layer refuses.

        A connection that ends joins nothing any more.
        """
        subscriber = self._with_layer()
        if self.is_closing:
            logger.debug("Group %.100r cannot be joined once the connection ends", group)
            return
        try:
            await subscriber.join(group)
        except REFUSALS as refusal:
            check_group_name(type(self.consumer), group, refusal)
            raise
        except Exception as error:
            raise self._unavailable(error) from error
        if self.state >= State.CLOSING:  # meanwhile
            await subscriber.leave_groups()

    async def leave(self, group: str) -> None:
        """Leave a group."""
        if self.subscriber is not None:
            await self.subscriber.leave(group)

    def recovery(
        self, topic: ServedTopic, name: str, tell_resync: Callable[[], Coroutine[Any, Any, None]]
    ) -> Recovery | None:
        """Return what brings the history of a topic to the client; None where it has none."""
        history = topic.history
        if history is None:
            return None
        subscriber = self._with_layer()
        is_local = subscriber.layer_is_local
        kind = type(topic).__name__
        store = store_of(history, subscriber.layer, is_local=is_local, topic=kind)
        return Recovery(subscriber, name, topic.group, history, store, tell_resync)

    async def leave_by_hand(self, group: str) -> None:
        """Take the connection's own channel out of a group, into which only user code puts it."""
        if self.subscriber is not None:
            await self.subscriber.leave_by_hand(group)

    def _unavailable(self, error: Exception) -> LayerUnavailableError:
        return self.consumer.spec.layer.unavailable(error, self._layer)

    def _with_layer(self) -> Subscriber:
        if self.subscriber is None:
            self.subscriber = self._subscriber_of_process()
        return self.subscriber

    def _subscriber_of_process(self) -> Subscriber:
        """Use the layer of the process only now: most consumers where no layer is registered need none."""
        if self._process_layer is None:
            raise RuntimeError(self.consumer.spec.layer.missing)
        self._process_layer.announce()
        subscriber = Subscriber(self, self._process_layer.layer, self._sender)
        if self.state is State.OPEN:
            subscriber.begin()
        elif self.is_closing:
            subscriber.seal()
        return subscriber

    # Sending

    async def send_text(self, text: str, action: Any, before_ref: str = BEFORE_REF) -> None:
        """Send one text frame, under the reference of the current exchange or at its end.

        `action` is for the log.
        """
        exchange = self.exchanges.current()
        if exchange is not None:
            text = exchange.addressed(text, before_ref)
            if exchange.held is not None:
                exchange.held.append(text)
                return
        if not self.accepted:
            logger.debug("Nothing can be sent before the handshake is accepted")
            return
        await self._sender.send({"type": "websocket.send", "text": text})
        if self.consumer.log_websocket_message:
            self.outlet.log.sent(action)

    async def send_bytes(self, data: bytes) -> None:
        """Send one binary frame."""
        await self._sender.send({"type": "websocket.send", "bytes": data})

    async def send_texts(self, texts: list[str]) -> None:
        """Send frames that were held."""
        await self.outlet.send_texts(texts)

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close from the server's side, behind what was sent before. Later calls do nothing."""
        if self.state >= State.CLOSING:
            return
        self._begin_closing(1000 if code is None else code)
        exchange = self.exchanges.current()
        if exchange is not None and exchange.held:
            held, exchange.held = exchange.held, None
            await self.send_texts(held)
        closing: dict[str, object] = {
            "type": "websocket.close",
            "code": self.close_code,
            "reason": _fitting(reason or ""),
        }
        await self._sender.send(closing, last=True)
        self._stop_reading()

    def _begin_closing(self, code: int) -> None:
        self.state = State.CLOSING
        self.close_code = code
        self._receiver.finish()

    def _stop_reading(self) -> None:
        if self.subscriber is not None:
            self.subscriber.clear()
        self._receiver.interrupt()

    def abandon(self, code: int) -> None:
        """Close without waiting for a peer that does not read."""
        self._begin_closing(code)
        self._sender.abandon({"type": "websocket.close", "code": code, "reason": ""})
        self._stop_reading()

    def _peer_stalled(self) -> None:
        # A timer calls this, perhaps in the context of the hub.
        self.context.copy().run(
            logger.warning, "Slow consumer closed (send_timeout=%g)", self.consumer.send_timeout
        )
        self.dropped("send_timeout")
        if not self.is_closing:
            self.abandon(CLOSE_SLOW_CONSUMER)

    def _peer_gone(self, error: Exception) -> None:
        logger.debug("Sent to a peer that has gone: %r", error)

    async def end_streams(self, owner: HandlerOwner, reason: MessageError) -> None:
        """End the streams of one owner with an error."""
        if self._streams is not None:
            await self._streams.end(reason, within=_CLEANUP, owner=owner)

    @contextmanager
    def numbering(self, offset: int) -> Generator[None]:
        """Send a number with the frames of a topic that the current task sends."""
        self.exchanges.begin(None, hold=False).offset = offset
        try:
            yield
        finally:
            self.exchanges.end()

    @asynccontextmanager
    async def bookmarking(self, offset: int, cursor: str) -> AsyncGenerator[None]:
        """Do the same, and send a cursor with the last of the frames, once all are known."""
        exchange = self.exchanges.begin(None, hold=True)
        exchange.offset = offset
        try:
            yield
        finally:
            self.exchanges.end()
            held, marked = exchange.held or [], exchange.marked
            if held and marked is not None:
                held[marked] = f'{held[marked][:-1]},"cursor":"{cursor}"}}'
            await self.send_texts(held)

    # Numbers

    def log_sent(self, action: Any) -> None:
        """Log a message that the channel layer has brought for the client."""
        self.outlet.log.sent(action)

    def failed(self, error: Exception, message: BaseMessage | None = None) -> None:
        """Tell observers, if there are any, that something went wrong."""
        if self.notifier is not None:
            self.notifier.failed(error, message)

    def dropped(self, reason: str) -> None:
        """Count a message that does not reach the client."""
        counters.dropped[reason] += 1
        if self.notifier is not None:
            self.notifier.dropped(reason)

    @property
    def in_flight(self) -> int:
        """How many handlers are running."""
        return (
            self.streams
            + self._frame_queue.active
            + (0 if self.subscriber is None else self.subscriber.active)
        )

    @property
    def streams(self) -> int:
        """How many streams are running."""
        return 0 if self._streams is None else len(self._streams.running)

    @property
    def queued(self) -> int:
        """How many frames and deliveries wait."""
        return self._sender.waiting + (0 if self.subscriber is None else self.subscriber.waiting)

    # The end

    @property
    def is_closing(self) -> bool:
        """True from when the end has begun."""
        return self.state >= State.CLOSING

    @property
    def is_idle(self) -> bool:
        """True while the connection is open, and nothing of it runs, waits or is being written."""
        return (
            self.state is State.OPEN
            and self._sender.is_idle
            and self._frame_queue.is_idle
            and not self._stream_tasks()
            and (self.subscriptions is None or self.subscriptions.is_idle)
            and (self.subscriber is None or self.subscriber.is_idle)
        )

    async def drain(self) -> None:
        """Handle what has been received, then close with 1012: for a server that is about to stop."""
        self._receiver.ignore()
        if self.state is State.OPEN:
            await self._settle(self.consumer.shutdown_grace)
        await self.close(CLOSE_SERVICE_RESTART)
        if self._task is not None:
            # A server that is told to stop after this may not wait for its applications.
            await asyncio.wait([self._task], timeout=self.consumer.layer_timeout)

    async def _finish(self) -> None:
        left_by_peer = self.state < State.CLOSING
        self.state = State.CLOSING
        if left_by_peer:
            self._sender.close()
        if self._keepalive is not None:
            self._keepalive.stop()
        task = asyncio.current_task()
        try:
            for step in self._last_steps():
                # One that fails, or is cancelled, keeps none of the others from being taken.
                try:
                    await step()
                except (Exception, asyncio.CancelledError):
                    logger.exception("Error while ending the connection, in %s", step.__name__)
                if task is not None and task.cancelling():
                    await take_back_cancellation()
        finally:
            self.state = State.CLOSED
            connections.discard(self)
            if self.notifier is not None and self._is_observed:
                self.notifier.closed(self.close_code)

    def _last_steps(self) -> Generator[Callable[[], Awaitable[None]]]:
        """Yield the steps of the end, in their order, for what the connection has when their turn comes."""
        self.cancels_handlers = True
        if self._opening is not None and not self._opening.done():
            yield self._stop_opening  # it could still admit the client
        # At once: nobody reads their items, and the grace is for their cleaning up.
        self._cancel_streams()
        if self.subscriber is not None:
            yield self._stop_listening  # nothing new comes from the layer, so handlers can come to an end
        if self._running():
            yield self._end_handlers  # they may still send, if this side closes
        self._frame_queue.clear()  # its timer would keep the connection in memory
        yield self.frames.report_malformed  # when no frame is handled any more
        if not self._sender.closed:
            yield self._flush  # what they sent, before the socket is given up
        yield self._sender.ended  # nothing writes any more
        if self.subscriptions is not None:
            yield self.subscriptions.end  # before `disconnect()`: what a topic holds may be part of what that releases
        yield self._call_disconnect  # when nothing of the connection runs any more
        self._process_layer = None  # a task left running must not hold the layer anew
        if self.subscriber is not None:
            yield self.subscriber.leave_groups  # those that `disconnect()` has joined by hand included
            yield self.subscriber.release  # the hub may end now: its members have left
        yield self._receiver.discard_unread  # a server may wait until what it received is taken

    async def _stop_opening(self) -> None:
        await cancel_tasks(self._opening, within=_CLEANUP)

    def _cancel_streams(self) -> None:
        if self._streams is not None:
            self._streams.cancel()
        if self._requests is not None:
            self._requests.cancel()

    async def _stop_listening(self) -> None:
        if self.subscriber is not None:
            self.subscriber.clear()
            await self.subscriber.close()

    async def _end_handlers(self) -> None:
        await asyncio.gather(self._settle(self._grace()), self._leave_groups())

    def _grace(self) -> float:
        restarting = self.close_code == CLOSE_SERVICE_RESTART
        return self.consumer.shutdown_grace if restarting else self.consumer.disconnect_grace

    async def _settle(self, grace: float) -> None:
        """Give running handlers and what waits after them some time, then cancel; they have as long to clean up."""
        running = self._running()
        if running:
            await asyncio.wait(running, timeout=grace)
        self._frame_queue.clear()
        if self._streams is not None and not self.cancels_handlers:  # the client still reads
            restarting = MessageError("restarting", "The server restarts")
            await self._streams.end(restarting, within=_CLEANUP)
        self.cancels_handlers = True
        await cancel_tasks(*self._running(), within=max(grace, _CLEANUP))

    def _running(self) -> frozenset[asyncio.Task[None]]:
        tasks = self._frame_queue.tasks | self._stream_tasks()
        return tasks if self.subscriber is None else tasks | self.subscriber.tasks

    def _stream_tasks(self) -> frozenset[asyncio.Task[None]]:
        return frozenset() if self._streams is None else self._streams.tasks

    async def _flush(self) -> None:
        try:
            async with asyncio.timeout(self.consumer.send_timeout):
                await self._sender.flush()
        except TimeoutError:
            logger.debug("The peer did not take the last frames")

    async def _call_disconnect(self) -> None:
        try:
            await self.consumer.websocket_disconnect(
                {"type": "websocket.disconnect", "code": self.close_code}
            )
        except BaseException as error:
            failure = await contained(error, self)
            log_failure(self.consumer, "Error while disconnecting", failure)

    async def _leave_groups(self) -> None:
        if self.subscriber is not None:
            await self.subscriber.leave_groups()


def _fitting(reason: str) -> str:
    """Return as much of a reason as a close frame has room for."""
    return reason.encode()[:_MAX_REASON].decode(errors="ignore")
