"""Streamed answers, cancelling, credit, and requests of the server to its client."""

import asyncio
import json
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, Literal

import pytest

from chanx.core import drain
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.exceptions import MessageError
from chanx.core.guards import DeniedError, Guard
from chanx.core.observers import Observer, add_observer, remove_observer
from chanx.messages.base import BaseMessage
from chanx.testing import ConnectionClosedError, WebsocketCommunicator
from chanx.type_defs import JSONObject
from chanx_conformance.consumers import Answering
from chanx_conformance.models import PONG, NewsEvent, SayMessage, WordMessage
from chanx_conformance.suite import Consumer, Suite

__all__ = ["StreamTests"]


class CountMessage(BaseMessage):
    """Asks for numbers from 1 to this one; for all of them if it is 0."""

    action: Literal["count"] = "count"
    payload: int


class BreakMessage(BaseMessage):
    """Asks for one number and then an error of a kind."""

    action: Literal["break"] = "break"
    payload: str


class ReportMessage(BaseMessage):
    """Asks for a report, which takes until the gate is open."""

    action: Literal["report"] = "report"
    payload: None = None


class DeployMessage(BaseMessage):
    """Asks for something that the client has to approve."""

    action: Literal["deploy"] = "deploy"
    payload: float = 5.0
    """How long to wait."""


class ApproveMessage(BaseMessage):
    """Asks the client."""

    action: Literal["approve"] = "approve"
    payload: str


class ApprovedMessage(BaseMessage):
    """The client's decision."""

    action: Literal["approved"] = "approved"
    payload: bool


class Small(Guard):
    """Denies numbers of three digits."""

    async def check(self, consumer: Any, message: BaseMessage) -> None:
        """Look at the number."""
        if message.payload > 99:
            raise DeniedError("too_large", "Count less")


class Streaming(Answering):
    """Answers by streams."""

    closed: ClassVar[asyncio.Event]
    requests: ClassVar[Any] = {ApproveMessage: ApprovedMessage}

    @ws_handler(guards=[Small()])
    async def count(self, message: CountMessage) -> AsyncIterator[WordMessage]:
        """Count, and note how far the counting got."""
        number = 0
        try:
            while number != message.payload or not number:
                number += 1
                yield WordMessage(payload=number)
        finally:
            self.handled.append(("counted", number))
            type(self).closed.set()

    @ws_handler
    async def break_off(self, message: BreakMessage) -> AsyncIterator[WordMessage | SayMessage]:
        """Say one thing, and fail."""
        yield SayMessage(payload="first")
        match message.payload:
            case "error":
                raise MessageError("spent", "No more", left=0)
            case "wrong":
                yield "no message"  # type: ignore[misc]  # pyright: ignore[reportReturnType]
            case "by hand":
                await self.send_message(WordMessage(payload=7))
            case _:
                raise ValueError("secret")

    @ws_handler(cancellable=True)
    async def report(self, message: ReportMessage) -> SayMessage:
        """Wait for the gate."""
        self.entered.set()
        try:
            await self.gate.wait()
        finally:
            self.handled.append("report")
        return SayMessage(payload="report")

    @ws_handler
    async def deploy(self, message: DeployMessage) -> SayMessage:
        """Ask first."""
        answer = await self.request(
            ApproveMessage(payload="sure?"), ApprovedMessage, timeout=message.payload
        )
        if not answer.payload:
            raise MessageError("declined", "You declined")
        return SayMessage(payload="deployed")

    @event_handler
    async def news(self, event: NewsEvent) -> SayMessage:
        """Pass it on."""
        return SayMessage(payload=event.payload)


class StreamingHookByHook(Streaming):
    """Does the same with hooks on the way."""

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        """Pass it on."""
        await super().receive_json(content)

    async def handle_result(self, result: BaseMessage) -> None:
        """Note it."""
        self.handled.append(result.payload)
        await super().handle_result(result)


class Watching(Observer):
    """Notes what it learns."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @contextmanager
    def on_message(self, consumer: Any, message: BaseMessage) -> Generator[None]:
        """Note the beginning and the end."""
        self.seen.append(f"begin {message.action}")
        yield
        self.seen.append(f"end {message.action}")

    def on_reply(self, consumer: Any, message: BaseMessage) -> None:
        """Note it."""
        self.seen.append(message.action)

    def on_error(self, consumer: Any, error: Exception, message: BaseMessage | None) -> None:
        """Note it."""
        self.seen.append((type(error).__name__, None if message is None else message.action))

    def on_stream_end(self, consumer: Any, message: BaseMessage, items: int) -> None:
        """Note how many items there were."""
        self.seen.append(("end", message.action, items))

    def on_credit_wait(self, consumer: Any, message: BaseMessage, seconds: float) -> None:
        """Note how long it took."""
        self.seen.append(("wait", message.action, seconds))


def error(code: str, text: str, ref: str | None = None, **extra: Any) -> JSONObject:
    """Return the error frame of an application error."""
    frame: JSONObject = {
        "action": "error",
        "payload": [{"type": code, "loc": [], "msg": text, **extra}],
    }
    return frame if ref is None else {**frame, "version": 1, "ref": ref}


def word(number: int, ref: str | None = None, seq: int | None = None) -> JSONObject:
    """Return the frame of an item."""
    frame: JSONObject = {"action": "word", "payload": number}
    return frame if ref is None else {**frame, "version": 1, "ref": ref, "seq": seq or number}


def complete(ref: str) -> JSONObject:
    """Return the frame that ends a stream."""
    return {"action": "complete", "payload": None, "version": 1, "ref": ref}


CANCELLED = "Cancelled by the client"
ROUTES = pytest.mark.parametrize(
    "handlers", [Streaming, StreamingHookByHook], ids=["direct", "hooked"]
)


class StreamTests(Suite):
    """Streamed answers, cancelling, credit, and requests to the client."""

    @pytest.fixture(autouse=True)
    def open_ended(self) -> None:
        """Nothing has been closed yet."""
        Streaming.closed = asyncio.Event()

    async def send(
        self, ws: WebsocketCommunicator, action: str, payload: Any = None, **keys: Any
    ) -> None:
        """Send a frame with keys beside the message."""
        message = {"action": action} if payload is None else {"action": action, "payload": payload}
        await ws.send_to(text_data=json.dumps({**message, **keys}))

    async def nothing_came(self, ws: WebsocketCommunicator) -> None:
        """Expect the answer to a ping next."""
        await self.send(ws, "ping")
        assert await ws.receive_json_from() == PONG

    async def until_end(self, ws: WebsocketCommunicator, ref: str) -> list[JSONObject]:
        """Receive frames up to the end of an answer."""
        frames: list[JSONObject] = []
        while True:
            frames.append(await ws.receive_json_from())
            if frames[-1].get("ref") == ref and "seq" not in frames[-1]:
                return frames

    # Items and ends

    @ROUTES
    async def test_items_are_numbered_and_completed(self, handlers: Consumer) -> None:
        """Under the reference; without one they come as they are, and the option alone says the end."""
        async with self.connect(handlers) as ws:
            await self.send(ws, "count", 3, ref="7")
            items = [word(number, "7") for number in (1, 2, 3)]
            assert await self.until_end(ws, "7") == [*items, complete("7")]
            await self.send(ws, "count", 2)
            await self.send(ws, "ping")
            frames = [await ws.receive_json_from() for _ in range(3)]
            assert sorted(frames, key=str) == sorted([word(1), word(2), PONG], key=str)
            await ws.assert_nothing()

    @ROUTES
    async def test_a_stream_has_one_end_with_completions_too(self, handlers: Consumer) -> None:
        """The completion that the options ask for is the end."""
        async with self.connect(handlers, send_completion=True) as ws:
            await self.send(ws, "count", 1, ref="7")
            assert await self.until_end(ws, "7") == [word(1, "7"), complete("7")]
            await self.send(ws, "count", 1)
            assert await ws.receive_json_from() == word(1)
            assert (await ws.receive_json_from())["action"] == "complete"
            await ws.assert_nothing()

    @ROUTES
    @pytest.mark.parametrize(
        ("kind", "end"),
        [
            ("error", error("spent", "No more", "7", left=0)),
            (
                "crash",
                {
                    "action": "error",
                    "payload": {"detail": "Failed to process message for break"},
                    "version": 1,
                    "ref": "7",
                },
            ),
            (
                "wrong",
                {
                    "action": "error",
                    "payload": {"detail": "Failed to process message for break"},
                    "version": 1,
                    "ref": "7",
                },
            ),
        ],
    )
    async def test_an_error_ends_a_stream(
        self, handlers: Consumer, kind: str, end: JSONObject
    ) -> None:
        """One frame, as for any handler; the connection goes on."""
        async with self.connect(handlers) as ws:
            await self.send(ws, "break", kind, ref="7")
            first = {"action": "say", "payload": "first", "version": 1, "ref": "7", "seq": 1}
            assert await self.until_end(ws, "7") == [first, end]
            await self.send(ws, "ping")
            assert await ws.receive_json_from() == PONG

    async def test_messages_sent_by_hand_are_items(self) -> None:
        """They carry the next number."""
        async with self.connect(Streaming) as ws:
            await self.send(ws, "break", "by hand", ref="7")
            frames = await self.until_end(ws, "7")
            assert [frame.get("seq") for frame in frames] == [1, 2, None]

    @ROUTES
    async def test_a_guard_keeps_a_stream_from_starting(self, handlers: Consumer) -> None:
        """Nothing of it runs."""
        async with self.connect(handlers) as ws:
            await self.send(ws, "count", 100, ref="7")
            assert await ws.receive_json_from() == error("too_large", "Count less", "7")
        assert ("counted", 0) not in Answering.handled

    async def test_a_stream_that_swallows_its_cancellation_ends(self) -> None:
        """It may send what it has left, and its end is the one that the client asked for."""

        class Stubborn(Streaming):
            @ws_handler
            async def count(self, message: CountMessage) -> AsyncIterator[WordMessage]:
                """Go on once."""
                yield WordMessage(payload=1)
                with suppress(asyncio.CancelledError):
                    self.entered.set()
                    await self.gate.wait()
                yield WordMessage(payload=2)
                self.handled.append("never")

        async with self.connect(Stubborn) as ws:
            await self.send(ws, "count", 0, ref="7")
            await Answering.entered.wait()
            await self.send(ws, "cancel", ref="7")
            cancelled = error("cancelled", CANCELLED, "7")
            assert await self.until_end(ws, "7") == [word(1, "7"), word(2, "7"), cancelled]
        assert Answering.handled == []

    async def test_a_stream_is_cancelled_once(self) -> None:
        """A second `cancel` does not interrupt how it closes."""

        class Closing(Streaming):
            @ws_handler
            async def count(self, message: CountMessage) -> AsyncIterator[WordMessage]:
                """Take time to close."""
                try:
                    yield WordMessage(payload=1)
                    await asyncio.Event().wait()
                finally:
                    self.entered.set()
                    await self.gate.wait()
                    self.handled.append("closed")

        async with self.connect(Closing) as ws:
            await self.send(ws, "count", 0, ref="7")
            assert await ws.receive_json_from() == word(1, "7")
            await self.send(ws, "cancel", ref="7")
            await Answering.entered.wait()
            await self.send(ws, "cancel", ref="7")
            await self.nothing_came(ws)
            Answering.gate.set()
            assert await ws.receive_json_from() == error("cancelled", CANCELLED, "7")
        assert Answering.handled.count("closed") == 1

    async def test_items_are_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        """Each, where messages are; the completion is none."""
        caplog.set_level("INFO")
        async with self.connect(Streaming, log_websocket_message=True) as ws:
            await self.send(ws, "count", 2, ref="7")
            await self.until_end(ws, "7")
        sent = [record for record in caplog.records if record.getMessage() == "Websocket sent"]
        assert len(sent) == 2

    # Order and limits

    async def test_other_messages_do_not_wait_for_a_stream(self) -> None:
        """A ping after an endless stream is answered while it goes on."""
        async with self.connect(Streaming) as ws:
            await self.send(ws, "count", 0, ref="7", window=1)
            await self.send(ws, "ping", ref="8")
            frames = [await ws.receive_json_from() for _ in range(2)]
            assert [frame["ref"] for frame in frames] == ["7", "8"]

    async def test_streams_are_limited(self) -> None:
        """Each limit is an error under the reference of the request that was one too many."""
        async with self.connect(Streaming, max_streams=1) as ws:
            await self.send(ws, "count", 0, ref="7", window=1)
            assert await ws.receive_json_from() == word(1, "7")
            await self.send(ws, "count", 1, ref="8")
            limit = error("too_many_streams", "At most 1 streams at once", "8")
            assert await ws.receive_json_from() == limit

    async def test_a_reference_in_use_is_refused(self) -> None:
        """Without the reference, because it would end the first answer."""
        async with self.connect(Streaming) as ws:
            await self.send(ws, "count", 0, ref="7", window=1)
            assert await ws.receive_json_from() == word(1, "7")
            await self.send(ws, "ping", ref="7")
            used = error("ref_in_use", "Another message is being answered under this ref")
            assert await ws.receive_json_from() == used
            await self.send(ws, "cancel", ref="7")
            assert await ws.receive_json_from() == error("cancelled", CANCELLED, "7")
            await self.send(ws, "ping", ref="7")
            assert (await ws.receive_json_from())["action"] == "pong"

    # Credit

    @pytest.mark.parametrize("keys", [{}, {"window": 3}], ids=["no window", "room left"])
    async def test_credit_for_a_stream_that_waits_for_none(self, keys: dict[str, int]) -> None:
        """Changes nothing now."""

        class Gated(Streaming):
            @ws_handler
            async def count(self, message: CountMessage) -> AsyncIterator[WordMessage]:
                """Wait between two numbers."""
                yield WordMessage(payload=1)
                await self.gate.wait()
                yield WordMessage(payload=2)

        async with self.connect(Gated) as ws:
            await self.send(ws, "count", 2, ref="7", **keys)
            assert await ws.receive_json_from() == word(1, "7")
            await self.send(ws, "more", 5, ref="7")
            await self.nothing_came(ws)
            Answering.gate.set()
            assert await self.until_end(ws, "7") == [word(2, "7"), complete("7")]

    async def test_credit_sets_the_pace(self) -> None:
        """No item more than the client has asked for."""
        async with self.connect(Streaming) as ws:
            await self.send(ws, "count", 5, ref="7", window=2)
            assert [(await ws.receive_json_from())["seq"] for _ in range(2)] == [1, 2]
            await self.nothing_came(ws)
            await self.send(ws, "more", 2, ref="7")
            assert [(await ws.receive_json_from())["seq"] for _ in range(2)] == [3, 4]
            await self.nothing_came(ws)
            await self.send(ws, "more", 1024, ref="7")
            assert await self.until_end(ws, "7") == [word(5, "7"), complete("7")]

    async def test_messages_sent_by_hand_use_credit(self) -> None:
        """They are items of the stream like any other."""

        class ByHand(Streaming):
            @ws_handler
            async def count(self, message: CountMessage) -> AsyncIterator[WordMessage]:
                """Send two, then yield two."""
                await self.send_message(WordMessage(payload=1))
                await self.send_message(WordMessage(payload=2))
                yield WordMessage(payload=3)
                yield WordMessage(payload=4)

        async with self.connect(ByHand) as ws:
            await self.send(ws, "count", 4, ref="7", window=3)
            assert [(await ws.receive_json_from())["seq"] for _ in range(3)] == [1, 2, 3]
            await self.nothing_came(ws)
            await self.send(ws, "more", 2, ref="7")
            assert await self.until_end(ws, "7") == [word(4, "7"), complete("7")]

    @pytest.mark.parametrize("window", [0, -1, 1025, 10**9, True, 1.5, "8", None, [8]])
    async def test_invalid_credit_is_refused(self, window: object) -> None:
        """At the start under the reference; later without it, and the stream waits on."""
        async with self.connect(Streaming) as ws:
            await self.send(ws, "count", 2, ref="7", window=window)
            refused = await ws.receive_json_from()
            assert (refused["ref"], refused["payload"][0]["type"]) == ("7", "invalid_window")
            await self.send(ws, "count", 2, ref="8", window=1)
            assert await ws.receive_json_from() == word(1, "8")
            await self.send(ws, "more", window, ref="8")
            refused = await ws.receive_json_from()
            assert ("ref" in refused, refused["payload"][0]["type"]) == (False, "invalid_window")
            await self.send(ws, "more", 1, ref="unknown")
            await self.send(ws, "more", 2, ref="8")
            assert await self.until_end(ws, "8") == [word(2, "8"), complete("8")]

    async def test_a_client_without_room_ends_its_stream(self) -> None:
        """After `stream_stall_timeout`."""
        async with self.connect(Streaming, stream_stall_timeout=0.05) as ws:
            await self.send(ws, "count", 5, ref="7", window=1)
            stalled = error("stalled", "The client gave no credit for 0.05 s", "7")
            assert await self.until_end(ws, "7") == [word(1, "7"), stalled]

    # Cancelling

    @ROUTES
    async def test_a_stream_can_be_cancelled(self, handlers: Consumer) -> None:
        """It is closed, and there is one end; later control frames are ignored."""
        async with self.connect(handlers) as ws:
            await self.send(ws, "count", 0, ref="7", window=1)
            assert await ws.receive_json_from() == word(1, "7")
            await self.send(ws, "cancel", ref="7")
            assert await ws.receive_json_from() == error("cancelled", CANCELLED, "7")
            await Streaming.closed.wait()
            await self.send(ws, "cancel", ref="7")
            await self.send(ws, "more", 5, ref="7")
            await ws.assert_nothing()
            await self.send(ws, "cancel")
            assert await ws.receive_json_from() == error(
                "missing", "cancel needs the ref of a message"
            )

    @ROUTES
    async def test_handlers_and_waiting_messages_can_be_cancelled(self, handlers: Consumer) -> None:
        """The one that runs is interrupted, the one that waits is never handled."""
        async with self.connect(handlers) as ws:
            await self.send(ws, "report", ref="1")
            await self.send(ws, "report", ref="2")
            await self.send(ws, "ping", ref="3")
            await Answering.entered.wait()
            await self.send(ws, "cancel", ref="2")
            assert await ws.receive_json_from() == error("cancelled", CANCELLED, "2")
            await self.send(ws, "cancel", ref="1")
            assert await ws.receive_json_from() == error("cancelled", CANCELLED, "1")
            assert (await ws.receive_json_from())["ref"] == "3"
            assert Answering.handled.count("report") == 1

    @ROUTES
    @pytest.mark.parametrize("action", ["count", "report"])
    async def test_a_cancel_may_follow_at_once(self, handlers: Consumer, action: str) -> None:
        """Whether the handling has begun or not."""
        payload = 0 if action == "count" else None
        async with self.connect(handlers) as ws:
            await self.send(ws, action, payload, ref="7")
            await self.send(ws, "cancel", ref="7")
            assert (await self.until_end(ws, "7"))[-1] == error("cancelled", CANCELLED, "7")
            await ws.assert_nothing()

    async def test_what_cannot_be_cancelled_is_handled(self) -> None:
        """A message without a reference, a binary frame, and one that only mentions the word."""
        async with self.connect(Streaming) as ws:
            await ws.send_to(bytes_data=b"\x00cancel")
            refused = await ws.receive_json_from()
            assert refused["payload"][0]["type"] == "json_invalid"
            await self.send(ws, "break", "cancel", ref="6")
            assert (await ws.receive_json_from())["payload"] == "first"
            assert (await ws.receive_json_from())["action"] == "error"
            await self.send(ws, "report")
            await Answering.entered.wait()
            Answering.gate.set()
            assert await ws.receive_json_from() == {"action": "say", "payload": "report"}

    async def test_a_client_that_leaves_ends_what_it_could_cancel(self) -> None:
        """The end of the connection is no cancellation by the client: nothing is answered."""
        async with self.connect(Streaming, disconnect_grace=0.0) as ws:
            await self.send(ws, "report", ref="7")
            await Answering.entered.wait()
            await ws.disconnect()
        assert Answering.handled == ["report"]

    async def test_a_timeout_of_the_handler_itself_is_its_failure(self) -> None:
        """Not that of `handler_timeout`, which has not passed."""

        class Late(Streaming):
            @ws_handler
            async def report(self, message: ReportMessage) -> SayMessage:
                """Give up on something else."""
                raise TimeoutError("secret")

        async with self.connect(Late, handler_timeout=30.0) as ws:
            await self.send(ws, "report", ref="7")
            failed = await ws.receive_json_from()
            assert failed["payload"] == {"detail": "Failed to process message for report"}

    async def test_a_cancel_before_the_client_is_admitted(self) -> None:
        """Waits for its turn, as every message does."""
        admitted = asyncio.Event()

        class Late(Streaming):
            async def post_authentication(self) -> None:
                """Wait."""
                await admitted.wait()

        async with self.connect(Late) as ws:
            await self.send(ws, "count", 0, ref="7")
            await self.send(ws, "cancel", ref="7")
            admitted.set()
            assert (await self.until_end(ws, "7"))[-1] == error("cancelled", CANCELLED, "7")

    async def test_cancel_may_have_another_name(self) -> None:
        """Where a handler has the usual one."""

        class StopMessage(BaseMessage):
            action: Literal["cancel"] = "cancel"
            payload: None = None

        async def stop(consumer: Any, message: StopMessage) -> None:
            """Take it."""

        handler = ws_handler(stop, input_type=StopMessage)
        with pytest.raises(TypeError, match=r"handles the action 'cancel'.*control_actions = "):
            self.make(Streaming, stop=handler)
        options: dict[str, Any] = {"stop": handler, "control_actions": {"cancel": "stop"}}
        async with self.connect(Streaming, **options) as ws:
            await self.send(ws, "count", 0, ref="7", window=1)
            assert await ws.receive_json_from() == word(1, "7")
            await self.send(ws, "stop", ref="7")
            assert await ws.receive_json_from() == error("cancelled", CANCELLED, "7")
            await self.send(ws, "cancel", ref="8")
            assert await ws.receive_json_from() == complete("8")

    # Ends of the connection

    async def test_a_client_that_leaves_closes_its_streams(self) -> None:
        """At once, whatever the grace for handlers is."""
        async with self.connect(Streaming, disconnect_grace=30.0) as ws:
            await self.send(ws, "count", 0, ref="7", window=1)
            assert await ws.receive_json_from() == word(1, "7")
        assert Streaming.closed.is_set()

    async def test_a_hook_that_fails_on_the_end_is_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The connection goes on."""

        class Fragile(Streaming):
            async def handle_message_handler_error(
                self, error: Exception, action: str, message: BaseMessage
            ) -> None:
                """Fail too."""
                raise RuntimeError("second")

        async with self.connect(Fragile) as ws:
            await self.send(ws, "break", "crash", ref="7")
            assert (await ws.receive_json_from())["seq"] == 1
            await self.send(ws, "ping", ref="7")
            assert (await ws.receive_json_from())["action"] == "pong"
        assert "Error while ending a stream" in caplog.text

    async def test_a_drain_ends_streams_with_an_error(self) -> None:
        """Once their grace is over; then the connection closes."""
        async with self.connect(Streaming, shutdown_grace=0.05) as ws:
            await self.send(ws, "count", 0, ref="7", window=1)
            assert await ws.receive_json_from() == word(1, "7")
            draining = asyncio.create_task(drain())
            restarting = error("restarting", "The server restarts", "7")
            assert await ws.receive_json_from() == restarting
            with pytest.raises(ConnectionClosedError, match="1012"):
                await ws.receive_json_from()
            await ws.disconnect()
            await draining

    # Observers

    @pytest.fixture
    def seen(self) -> Generator[list[Any]]:
        """Watch the connections of one test."""
        watching = Watching()
        add_observer(watching)
        yield watching.seen
        remove_observer(watching)

    @ROUTES
    @pytest.mark.parametrize("ref", [{"ref": "7"}, {}], ids=["ref", "no ref"])
    async def test_observers_see_a_stream_as_one_message(
        self, seen: list[Any], handlers: Consumer, ref: dict[str, Any]
    ) -> None:
        """From its start to its end, with each item and their number."""
        async with self.connect(handlers, send_completion=True) as ws:
            await self.send(ws, "count", 2, **ref)
            await ws.idle()
        items = ["word", "word", "complete"]
        assert seen == ["begin count", *items, ("end", "count", 2), "end count"]

    @ROUTES
    @pytest.mark.parametrize("ref", [{"ref": "7"}, {}], ids=["ref", "no ref"])
    async def test_observers_count_items_sent_by_hand(
        self, seen: list[Any], handlers: Consumer, ref: dict[str, Any]
    ) -> None:
        """They are items, with and without a number."""
        async with self.connect(handlers) as ws:
            await self.send(ws, "break", "by hand", **ref)
            await ws.idle()
        assert ("end", "break", 2) in seen

    async def test_observers_learn_of_streams_that_do_not_start(self, seen: list[Any]) -> None:
        """They have sent nothing."""
        async with self.connect(Streaming) as ws:
            await self.send(ws, "count", 100, ref="7")
            await ws.idle()
        denied = ("DeniedError", "count")
        assert seen == ["begin count", denied, "error", ("end", "count", 0), "end count"]

    async def test_observers_learn_of_cancelled_messages(self, seen: list[Any]) -> None:
        """Of streams, handlers, and messages that waited for their turn."""
        async with self.connect(Streaming) as ws:
            await self.send(ws, "count", 0, ref="1", window=1)
            assert await ws.receive_json_from() == word(1, "1")
            await self.send(ws, "report", ref="2")
            await self.send(ws, "report", ref="3")
            await Answering.entered.wait()
            for ref in ("3", "2", "1"):
                await self.send(ws, "cancel", ref=ref)
                assert await ws.receive_json_from() == error("cancelled", CANCELLED, ref)
            await self.send(ws, "cancel", ref="1")  # comes too late
            await ws.idle()
        cancelled = [line for line in seen if line[0] == "CancelledByClientError"]
        assert [action for _, action in cancelled] == [None, "report", "count"]

    async def test_observers_learn_of_refused_messages(self, seen: list[Any]) -> None:
        """Those for which there is no room."""
        async with self.connect(Streaming, max_pending=1) as ws:
            await self.send(ws, "deploy", ref="7")
            assert (await ws.receive_json_from())["ref"] == "s.1"
            await self.send(ws, "ping", ref="a")
            await self.send(ws, "ping", ref="b")
            assert (await ws.receive_json_from())["payload"][0]["type"] == "overloaded"
            assert ("MessageError", None) in seen

    async def test_observers_learn_of_waits_for_credit(self, seen: list[Any]) -> None:
        """Once for each, however the wait ends; a client that gives credit in advance causes none."""
        async with self.connect(Streaming) as ws:
            await self.send(ws, "count", 2, ref="7", window=3)
            await self.until_end(ws, "7")
            assert self.waits(seen) == []
            await self.send(ws, "count", 3, ref="7", window=1)
            for number in (1, 2):
                assert await ws.receive_json_from() == word(number, "7")
                await self.nothing_came(ws)
                await self.send(ws, "more", number, ref="7")
            assert (await self.until_end(ws, "7"))[-1] == complete("7")
            assert self.waits(seen) == ["count"] * 2
            await self.send(ws, "count", 0, ref="8", window=1)
            await ws.receive_json_from()
            await self.send(ws, "cancel", ref="8")
            await self.until_end(ws, "8")
            assert self.waits(seen) == ["count"] * 3

    def waits(self, seen: list[Any]) -> list[str]:
        """Return what was asked for by those who waited; each wait takes some time."""
        found = [line for line in seen if line[0] == "wait"]
        assert all(seconds > 0 for _, _, seconds in found)
        return [action for _, action, _ in found]

    # Requests to the client

    @ROUTES
    async def test_the_server_asks_its_client(self, handlers: Consumer) -> None:
        """Inside a handler that others wait for; an invalid answer may be mended."""
        async with self.connect(handlers) as ws:
            await self.send(ws, "deploy", ref="7")
            asked = {"action": "approve", "payload": "sure?", "version": 1, "ref": "s.1"}
            assert await ws.receive_json_from() == asked
            await self.send(ws, "approved", "perhaps", ref="s.1")
            refused = await ws.receive_json_from()
            assert (refused["action"], refused["ref"]) == ("error", "s.1")
            await self.send(ws, "approved", True, ref="s.1")
            said = {"action": "say", "payload": "deployed", "version": 1, "ref": "7"}
            assert await ws.receive_json_from() == said
            await self.send(ws, "deploy", ref="8")
            assert (await ws.receive_json_from())["ref"] == "s.2"
            await self.send(ws, "approved", False, ref="s.2")
            assert await ws.receive_json_from() == error("declined", "You declined", "8")

    async def test_a_request_that_is_not_answered_in_time(self) -> None:
        """Is a failure of the handler; the late answer is ignored."""
        async with self.connect(Streaming) as ws:
            await self.send(ws, "deploy", 0.05, ref="7")
            assert (await ws.receive_json_from())["ref"] == "s.1"
            failed = await ws.receive_json_from()
            assert failed["payload"] == {"detail": "Failed to process message for deploy"}
            await self.send(ws, "approved", True, ref="s.1")
            await self.nothing_came(ws)
            await self.send(ws, "deploy", ref="8")
            assert (await ws.receive_json_from())["ref"] == "s.2"
            await self.send(ws, "approved", True, ref="s.1")
            await self.send(ws, "approved", True, ref="s.2")
            assert (await ws.receive_json_from())["payload"] == "deployed"

    async def test_only_answers_go_past_the_queue(self) -> None:
        """What only looks like one is handled at its turn."""
        async with self.connect(Streaming) as ws:
            await self.send(ws, "deploy", ref="7")
            assert (await ws.receive_json_from())["ref"] == "s.1"
            await self.send(ws, "break", "s.1", ref="8")
            await self.send(ws, "approved", True, ref="s.1")
            assert (await ws.receive_json_from())["payload"] == "deployed"
            assert [frame["ref"] for frame in await self.until_end(ws, "8")] == ["8", "8"]
            await self.send(ws, "deploy", ref="9")
            assert (await ws.receive_json_from())["ref"] == "s.2"
            await self.send(ws, "ping", ref="s.1")
            await self.send(ws, "approved", True, ref="s.2")
            assert (await ws.receive_json_from())["payload"] == "deployed"
            assert (await ws.receive_json_from())["ref"] == "s.1"

    async def test_requests_are_limited(self) -> None:
        """One too many is a failure of the handler, and is not sent."""

        class Doubtful(Streaming):
            @ws_handler
            async def deploy(self, message: DeployMessage) -> SayMessage:
                """Ask twice at once."""
                question = ApproveMessage(payload="sure?")
                first = asyncio.create_task(self.request(question, ApprovedMessage))
                await asyncio.sleep(0)
                try:
                    await self.request(question, ApprovedMessage)
                except RuntimeError as error:
                    self.handled.append(str(error))
                return SayMessage(payload=str((await first).payload))

        async with self.connect(Doubtful, max_requests=1) as ws:
            await self.send(ws, "deploy", ref="7")
            assert (await ws.receive_json_from())["ref"] == "s.1"
            await self.send(ws, "approved", True, ref="s.1")
            assert (await ws.receive_json_from())["payload"] == "True"
        (text,) = Answering.handled
        assert text.startswith("1 requests wait for answers of this client: raise max_requests")

    @ROUTES
    async def test_a_question_follows_what_was_sent_before(self, handlers: Consumer) -> None:
        """Where answers are held until the handler has ended, too: the client has to see what led to it."""

        class Explaining(handlers):  # type: ignore[misc, valid-type]
            @ws_handler
            async def deploy(self, message: DeployMessage) -> SayMessage:
                """Say why, ask, and say what came of it."""
                await self.send_message(SayMessage(payload="because"))
                answer = await self.request(ApproveMessage(payload="sure?"), ApprovedMessage)
                return SayMessage(payload=str(answer.payload))

        async with self.connect(Explaining, send_message_immediately=False) as ws:
            await self.send(ws, "deploy", ref="7")
            assert (await ws.receive_json_from())["payload"] == "because"
            assert (await ws.receive_json_from())["payload"] == "sure?"
            await self.send(ws, "approved", True, ref="s.1")
            assert (await ws.receive_json_from())["payload"] == "True"

    async def test_a_full_queue_lets_answers_through(self) -> None:
        """Whatever else does not fit is refused under its reference."""
        async with self.connect(Streaming, max_pending=2) as ws:
            await self.send(ws, "deploy", ref="7")
            assert (await ws.receive_json_from())["ref"] == "s.1"
            for ref in ("a", "b", "c"):
                await self.send(ws, "ping", ref=ref)
            overloaded = error("overloaded", "Too many messages wait for their turn", "c")
            assert await ws.receive_json_from() == overloaded
            await self.send(ws, "approved", True, ref="s.1")
            frames = [await ws.receive_json_from() for _ in range(3)]
            assert [frame["ref"] for frame in frames] == ["7", "a", "b"]

    async def test_the_server_may_ask_before_the_first_message(self) -> None:
        """The answer does not wait until the client's messages are handled."""

        class Asking(Streaming):
            async def post_authentication(self) -> None:
                """Ask."""
                question = ApproveMessage(payload="terms?")
                self.handled.append((await self.request(question, ApprovedMessage)).payload)

        async with self.connect(Asking) as ws:
            await self.send(ws, "ping", ref="1")
            await ws.answer(ApproveMessage, with_=ApprovedMessage(payload=True))
            assert (await ws.receive_json_from())["ref"] == "1"
        assert Answering.handled == [True, "ping"]

    async def test_a_client_that_leaves_answers_nothing(self) -> None:
        """The handler that asked is ended."""
        async with self.connect(Streaming) as ws:
            await self.send(ws, "deploy", 30.0, ref="7")
            assert (await ws.receive_json_from())["ref"] == "s.1"
