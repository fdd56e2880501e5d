"""The typed side of a test connection: messages in and out of a consumer."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, TypeVar, overload

from pydantic_core import from_json

from chanx.constants import COMPLETE_ACTIONS, ENVELOPE_VERSION, MESSAGE_ACTION_COMPLETE
from chanx.core.topic import Topic
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import CompleteMessage, ErrorMessage
from chanx.testing.collected import CollectedMessages, Ending
from chanx.testing.frames import (
    answer,
    declared,
    decoded,
    listed,
    served_topics,
    spec_of,
    topic_class_of,
    topic_in,
    written,
)
from chanx.testing.quiet import is_in_sight
from chanx.testing.socket import Application, WebsocketConnection, text_of
from chanx.testing.streams import StreamedAnswer
from chanx.type_defs import ASGIEvent, JSONObject

__all__ = ["WebsocketCommunicator", "WebsocketCommunicatorMixin"]

M = TypeVar("M", bound=BaseMessage)

# Fresh for every request, so that no answer is taken for that of another.
_refs = count(1)


class WebsocketCommunicatorMixin(WebsocketConnection):
    """Sends and receives the messages of `consumer` over a raw connection, in the consumer's wire format.

    What a call does not return stays in its place for the next one: nothing that came is lost by waiting for something
    else. Several calls may wait at once. A class may inherit from this one first and then from the communicator of a
    framework: all that both have is taken from here.
    """

    def __init__(
        self,
        application: Application,
        path: str,
        headers: list[tuple[bytes, bytes]] | None = None,
        subprotocols: list[str] | None = None,
        spec_version: int | None = None,
        *,
        consumer: type[ChanxWebsocketConsumerMixin[Any]],
    ) -> None:
        super().__init__(application, path, headers, subprotocols, spec_version)
        self.consumer = consumer

    async def send_message(
        self, message: BaseMessage, *, topic: str | None = None, ref: str | None = None
    ) -> None:
        """Send a message as a client would, to a topic if one is named; answers carry the same `ref`."""
        await self.send_to(text_data=written(self.consumer, message, topic, ref))

    async def receive_message(self, timeout: float | None = 1) -> BaseMessage:
        """Return the next message.

        Raises ValidationError for one that the consumer does not declare, TimeoutError when nothing came.
        """
        if self._answer is None:
            await self.connect()
        return decoded(self.consumer, await self.receive_output(timeout))

    # Topics

    # Any: a frame, as it is.
    async def subscribe(self, topic: str, ref: str | None = "1", timeout: float | None = 1) -> Any:
        """Subscribe to a topic and return the next frame, parsed: a confirmation, or an error that says why not."""
        return await self._ask_for_topic("subscribe", topic, ref, timeout)

    # Any: as above.
    async def unsubscribe(
        self, topic: str, ref: str | None = "1", timeout: float | None = 1
    ) -> Any:
        """Unsubscribe from a topic and return the next frame, parsed."""
        return await self._ask_for_topic("unsubscribe", topic, ref, timeout)

    async def _ask_for_topic(
        self, control: str, topic: str, ref: str | None, timeout: float | None
    ) -> Any:
        spec = self.consumer.spec
        names: dict[str, str] = {known: name for name, known in spec.topic_controls.items()}
        frame: JSONObject = {
            spec.wire_format.discriminator_field: names.get(control, control),
            "payload": None,
            "version": ENVELOPE_VERSION,
            "topic": topic,
        }
        await self.send_json_to(frame if ref is None else {**frame, "ref": ref})
        return await self.receive_json_from(timeout)

    # Any: which events a topic can be sent plays no part here.
    async def receive_topic_message(
        self, topic_class: type[Topic[Any]], timeout: float = 1
    ) -> BaseMessage:
        """Return the next message of the topics of a class; others stay to be received.

        Raises ValidationError for one that the class does not declare, TimeoutError naming what came instead, and
        TypeError for a class that the consumer does not have.
        """
        consumer = self.consumer
        if topic_class not in served_topics(consumer):
            raise TypeError(
                f"{topic_class.__name__} is not among the topics of {consumer.__name__}."
            )
        await self.connect()

        def is_wanted(event: ASGIEvent) -> bool:
            name = topic_in(consumer, event)
            return name is not None and topic_class_of(consumer, name) is topic_class

        what = f"a message of {topic_class.__name__}"
        return decoded(consumer, await self.expect_frame(is_wanted, what, timeout))

    # Waiting for one message

    @overload
    async def request(
        self, message: BaseMessage, *, topic: str | None = None, timeout: float = 1
    ) -> BaseMessage: ...

    @overload
    async def request(
        self,
        message: BaseMessage,
        reply_type: type[M],
        *,
        topic: str | None = None,
        timeout: float = 1,
    ) -> M: ...

    async def request(
        self,
        message: BaseMessage,
        reply_type: type[BaseMessage] | None = None,
        *,
        topic: str | None = None,
        timeout: float = 1,
    ) -> BaseMessage:
        """Send a message under a `ref` of its own and return the first answer, or the first of `reply_type`.

        Without a `reply_type` that is whatever comes: an ErrorMessage, or a CompleteMessage where the handler returned
        nothing. With one, an error in its place is an AssertionError, and so is an end of the handling without it. The
        completion that follows is taken too; further answers stay to be received.
        """
        if reply_type is not None:
            self._check_declared(reply_type, topic)
        ref = f"test-{next(_refs)}"
        await self.send_message(message, topic=topic, ref=ref)
        reply = await self._answer_to(message, ref, reply_type, timeout)
        if self.consumer.send_completion and not isinstance(reply, CompleteMessage):
            # An error is the last frame under its reference; the completion behind it carries none.
            await self._take_completion(
                None if isinstance(reply, ErrorMessage) else ref, message, timeout
            )
        return reply

    async def _answer_to(
        self, message: BaseMessage, ref: str, reply_type: type[BaseMessage] | None, timeout: float
    ) -> BaseMessage:
        wanted_type = BaseMessage if reply_type is None else reply_type
        final = (wanted_type, ErrorMessage, CompleteMessage)
        replies: list[BaseMessage] = []

        def is_answer(event: ASGIEvent) -> bool:
            if ref not in text_of(event):
                return False
            reply, under = answer(self.consumer, event)
            if under == ref and isinstance(reply, final):
                replies.append(reply)
            return bool(replies)

        what = f"{wanted_type.__name__} in answer to {{}}"
        event = await self._find(is_answer, what, message, timeout)
        if not isinstance(replies[0], wanted_type):
            raise AssertionError(
                f"Expected {what.format(_shown(message))}, but got {listed([event])}."
            )
        return replies[0]

    async def _take_completion(self, ref: str | None, message: BaseMessage, timeout: float) -> None:
        def is_completion(event: ASGIEvent) -> bool:
            if MESSAGE_ACTION_COMPLETE not in text_of(event):
                return False
            found, under = answer(self.consumer, event)
            return isinstance(found, CompleteMessage) and under == ref

        await self._find(is_completion, "the completion of {}", message, timeout)

    async def _find(
        self, wanted: Callable[[ASGIEvent], bool], what: str, sent: BaseMessage, timeout: float
    ) -> ASGIEvent:
        """Take the frame that ends the handling of a message, which is known not to come once that has ended."""
        search = self.output_queue.search(wanted)
        in_time = await self._until(search.take, timeout, self._is_idle)
        if search.take() and search.found is not None:
            return search.found
        self._raise_failure()
        came = listed(self.output_queue.events())
        what = what.format(_shown(sent))
        if in_time:
            raise AssertionError(f"Expected {what}, but the handling ended without it: {came}.")
        raise TimeoutError(f"Expected {what} within {timeout} s, but: {came}.")

    @asynccontextmanager
    async def stream(
        self,
        message: BaseMessage,
        *,
        topic: str | None = None,
        window: int | None = None,
        timeout: float = 1,
    ) -> AsyncGenerator[StreamedAnswer]:
        """Send a message whose answer is a stream, and iterate over the items.

        A stream that has not ended when the block is left is cancelled. `timeout` is for each item.
        """
        await self.connect()
        answer = StreamedAnswer(self, f"test-{next(_refs)}", window, timeout, topic)
        await answer.begin(message)
        try:
            yield answer
        finally:
            await answer.close()

    async def answer(
        self,
        request_type: type[M],
        with_: BaseMessage,
        *,
        topic: str | None = None,
        timeout: float = 1,
    ) -> M:
        """Wait for a request of the server, or of one topic, answer it, and return it."""
        found: list[tuple[M, str]] = []

        def is_request(event: ASGIEvent) -> bool:
            if '"s.' not in (event.get("text") or ""):
                return False
            if topic is not None and topic_in(self.consumer, event) != topic:
                return False
            message, ref = answer(self.consumer, event)
            if isinstance(message, request_type) and ref is not None:
                found.append((message, ref))
            return bool(found)

        await self.expect_frame(is_request, request_type.__name__, timeout)
        request, ref = found[0]
        await self.send_message(with_, topic=topic, ref=ref)
        return request

    async def expect(
        self,
        message_type: type[M],
        *,
        where: Callable[[M], bool] | None = None,
        timeout: float = 1,
    ) -> M:
        """Wait for the first message of a type, for which `where` is true; others stay to be received.

        Raises TimeoutError naming what came instead, ConnectionClosedError, and TypeError for a type that the consumer
        does not declare and will therefore never send.
        """
        self._check_declared(message_type)
        await self.connect()
        found: list[M] = []

        def is_wanted(event: ASGIEvent) -> bool:
            message = declared(self.consumer, event)
            if isinstance(message, message_type) and (where is None or where(message)):
                found.append(message)
            return bool(found)

        await self.expect_frame(is_wanted, message_type.__name__, timeout)
        return found[0]

    async def expect_frame(
        self, wanted: Callable[[ASGIEvent], bool], what: str, timeout: float = 1
    ) -> ASGIEvent:
        """Wait for the first frame that is wanted; others stay to be received. `what` names it in errors."""
        try:
            event = await self.output_queue.wait_for(wanted, timeout)
        except TimeoutError:
            came = listed(self.output_queue.events())
            raise TimeoutError(f"Expected {what} within {timeout} s, but: {came}.") from None
        if event is None:
            self._raise_failure()
            came = listed(self.output_queue.events())
            raise AssertionError(f"Expected {what}, but the application has ended: {came}.")
        return event

    def _check_declared(self, message_type: type[BaseMessage], topic: str | None = None) -> None:
        spec = spec_of(self.consumer, topic)
        kinds = [kind.spec_for(spec.integration) for kind in spec.topics] if topic is None else []
        outgoing = [item for each in (spec, *kinds) for item in each.outgoing_messages]
        if not any(issubclass(item, message_type) for item in outgoing):
            raise TypeError(
                f"{spec.owner.__name__} does not declare that it sends {message_type.__name__}: name it in the "
                "return type or output_type of a handler, or in `emits`."
            )

    async def assert_nothing(self, timeout: float = 1) -> None:
        """Expect that nothing is left to be received, once it is known that nothing can come.

        That is known as in `receive_nothing()`. While other connections stay busy, it waits until the timeout.
        Completion messages are no news and are dropped. Raises what `idle()` raises.
        """
        deadline = asyncio.get_running_loop().time() + timeout
        await self.idle(timeout)
        await self._until_silent(lambda: False, deadline - asyncio.get_running_loop().time())
        left = [event for event in self.output_queue.events() if not self._is_completion(event)]
        if left:
            raise AssertionError(f"Expected nothing, but: {listed(left)}.")
        while self.output_queue.take() is not None:
            pass

    def _is_completion(self, event: ASGIEvent) -> bool:
        if event["type"] != "websocket.send":
            return False
        message = declared(self.consumer, event)
        return message is not None and message.action in COMPLETE_ACTIONS

    # Collecting

    async def receive_all_json(
        self, timeout: float = 1, *, until_idle: bool = True
    ) -> list[JSONObject]:
        """Collect frames until the time is over, or until no more can come.

        That is known when every connection in the process is idle and the channel layer keeps its messages in the
        process. `until_idle=False` waits for the whole time: for what the test itself sends from elsewhere meanwhile.
        """
        await self.connect()
        await self._until(
            self._is_closed, timeout, self._is_silent if until_idle else lambda: False
        )
        frames: list[JSONObject] = []
        while (event := self._take_frame()) is not None:
            frames.append(from_json(text_of(event)))
        self._raise_failure()
        return frames

    async def receive_all_messages(
        self, stop_action: str = MESSAGE_ACTION_COMPLETE, timeout: float = 1
    ) -> CollectedMessages:
        """Collect messages up to the one with `stop_action`, or until it is known that it does not come.

        Completion messages are left out; a stop message of another kind is included. The list says in `ended_by` why it
        ends. Raises ValidationError for a message that the consumer does not declare.
        """
        await self.connect()
        messages: list[BaseMessage] = []
        stopped = False

        def collect() -> bool:
            nonlocal stopped
            while not stopped and (event := self._take_frame()) is not None:
                message = decoded(self.consumer, event)
                if message.action not in COMPLETE_ACTIONS:
                    messages.append(message)
                stopped = message.action == stop_action
            return stopped or self._is_closed()

        in_time = await self._until(collect, timeout, self._is_silent)
        collect()
        if not stopped:
            self._raise_failure()
        ended_by: Ending = "complete" if stopped else self._ending(in_time)
        return CollectedMessages(messages, ended_by)

    def _ending(self, in_time: bool) -> Ending:
        if self._has_ended or self._is_closed():
            return "closed"
        return "idle" if in_time else "timeout"

    def _take_frame(self) -> ASGIEvent | None:
        """Take the next frame; the end of the connection stays where it is."""
        return None if self._is_closed() else self.output_queue.take()

    def _is_closed(self) -> bool:
        """Tell whether the next event is the close."""
        first = self.output_queue.first()
        return first is not None and first["type"] == "websocket.close"

    def _is_silent(self) -> bool:
        """Tell whether nothing can come any more, unless the test itself sends it."""
        consumer = self.consumer
        alias: str | None = getattr(consumer, "channel_layer_alias", None)
        layer: Any = consumer.get_channel_layer(alias) if alias else None
        is_local = layer is None or consumer.spec.layer.traits(layer).is_local
        return self._all_idle() and is_in_sight(layer, is_local)


class WebsocketCommunicator(WebsocketCommunicatorMixin):
    """One typed WebSocket to any ASGI application that serves `consumer` at `path`."""


def _shown(message: BaseMessage) -> str:
    """Name a message in a failure's text."""
    text = repr(message)
    return text if len(text) <= 120 else f"{text[:120]}…"
