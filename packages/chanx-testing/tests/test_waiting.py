"""Waiting for typed messages: what comes, what does not, and how the failure reads."""

import asyncio
import time
from typing import Any, Literal

import pytest

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import CompleteMessage, ErrorMessage, PongMessage
from chanx.testing import ConnectionClosedError, WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from chanx.type_defs import ASGIReceive, ASGISend, Scope


class Order(BaseMessage):
    """What the handler shall do."""

    action: Literal["order"] = "order"
    payload: str


class Note(BaseMessage):
    """Something said on the way."""

    action: Literal["note"] = "note"
    payload: str


class Result(BaseMessage):
    """What came of an order."""

    action: Literal["result"] = "result"
    payload: str


class Stranger(BaseMessage):
    """A message that the consumer does not declare."""

    action: Literal["stranger"] = "stranger"
    payload: None = None


class Worker(ChanxWebsocketConsumerMixin[Any]):
    """Does as it is told."""

    gate: asyncio.Event

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        return PongMessage()

    @ws_handler(output_type=[Note, Result])
    async def order(self, message: Order) -> Result | None:
        """Do it."""
        match message.payload:
            case "notes":
                await self.send_message(Note(payload="one"))
                await self.send_message(Note(payload="two"))
            case "silence":
                return None
            case "crash":
                raise ValueError("secret")
            case "close":
                await self.close(4001, "enough")
            case "wait":
                await self.gate.wait()
            case _:
                pass
        return Result(payload=message.payload)

    @event_handler
    async def news(self, event: Note) -> Note:
        """Pass it on."""
        return event


def connect(**options: Any) -> WebsocketCommunicator:
    """Make a connection to a worker with these options, behind a middleware that copies the scope."""
    consumer: Any = type("Worker", (Worker,), {"gate": asyncio.Event(), **options})

    async def application(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        await consumer()({**scope, "user": "ada"}, receive, send)

    return WebsocketCommunicator(application, "/ws", consumer=consumer)


def gate_of(ws: WebsocketCommunicator) -> asyncio.Event:
    """Return what a waiting handler waits for."""
    gate: asyncio.Event = getattr(ws.consumer, "gate")  # noqa: B009 - the class is made at run time
    return gate


class Took:
    """How long the body took."""

    def __enter__(self) -> "Took":
        """Begin."""
        self._began = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        """End."""
        self.seconds = time.perf_counter() - self._began


# One request


@pytest.mark.parametrize("completion", [False, True])
async def test_request_returns_the_answer_and_leaves_nothing(completion: bool) -> None:
    """Typed by the reply type; the completion is taken with it."""
    async with no_leaks(), connect(send_completion=completion) as ws:
        assert await ws.request(PingMessage()) == PongMessage()
        result = await ws.request(Order(payload="dig"), Result)
        assert result.payload == "dig"
        assert ws.output_queue.empty()


@pytest.mark.parametrize("completion", [False, True])
async def test_request_finds_its_answer_among_others(completion: bool) -> None:
    """What comes before the reply type stays to be received, in order."""
    async with connect(send_completion=completion) as ws:
        assert (await ws.request(Order(payload="notes"), Result)).payload == "notes"
        assert [await ws.receive_message() for _ in range(2)] == [
            Note(payload="one"),
            Note(payload="two"),
        ]
        await ws.assert_nothing()


async def test_requests_at_once_each_get_their_own() -> None:
    """Answers are told apart by their references."""
    async with connect(message_concurrency=3) as ws:
        waiting = asyncio.ensure_future(ws.request(Order(payload="wait"), Result))
        quick = [ws.request(Order(payload=text), Result) for text in "abc"]
        assert [result.payload for result in await asyncio.gather(*quick)] == ["a", "b", "c"]
        gate_of(ws).set()
        assert (await waiting).payload == "wait"


@pytest.mark.parametrize("completion", [False, True])
async def test_request_without_reply_type_returns_what_comes(completion: bool) -> None:
    """A silent handler is answered by a completion, a crash by an error."""
    async with connect(send_completion=completion) as ws:
        assert await ws.request(Order(payload="silence")) == CompleteMessage()
        error = await ws.request(Order(payload="crash"))
        assert isinstance(error, ErrorMessage)
        assert ws.output_queue.empty()


@pytest.mark.parametrize(
    ("order", "instead"), [("crash", "Failed to process"), ("silence", "complete")]
)
async def test_request_names_what_came_instead_of_the_reply(order: str, instead: str) -> None:
    """It is known at once that the reply will not come."""
    async with connect() as ws:
        with (
            Took() as took,
            pytest.raises(
                AssertionError, match=f"Expected Result in answer to Order.*but got .*{instead}"
            ),
        ):
            await ws.request(Order(payload=order), Result, timeout=10)
        assert took.seconds < 1


async def test_request_fails_at_once_when_nothing_will_answer() -> None:
    """A consumer that swallows a message is found out by its idleness."""

    async def swallow(self: Any, content: Any, **kwargs: Any) -> None:
        """Do nothing."""

    async with connect(receive_json=swallow) as ws:
        with (
            Took() as took,
            pytest.raises(AssertionError, match="the handling ended without it: nothing came"),
        ):
            await ws.request(PingMessage(), timeout=10)
        assert took.seconds < 1


async def test_request_times_out_and_the_application_lives() -> None:
    """The failure names message and reply; the answer may still be received."""
    async with connect() as ws:
        with pytest.raises(
            TimeoutError, match=r"Expected Result in answer to Order.* within 0\.02 s, but: nothing"
        ):
            await ws.request(Order(payload="wait"), Result, timeout=0.02)
        gate_of(ws).set()
        assert await ws.expect(Result) == Result(payload="wait")


async def test_request_is_told_of_a_close() -> None:
    """The connection is gone, and its code is named; it stays for `assert_closed()`."""
    async with connect() as ws:
        with pytest.raises(ConnectionClosedError, match="4001 'enough'"):
            await ws.request(Order(payload="close"))
        await ws.assert_closed(4001)


# One message


async def test_expect_takes_the_first_of_its_type() -> None:
    """Other messages stay where they were; `where` looks closer."""
    async with connect() as ws:
        await ws.send_message(Order(payload="notes"))
        assert await ws.expect(Result) == Result(payload="notes")
        assert await ws.expect(Note, where=lambda note: note.payload == "two") == Note(
            payload="two"
        )
        assert await ws.receive_message() == Note(payload="one")


async def test_expect_waits_for_what_is_under_way() -> None:
    """A message that comes later ends the wait."""
    async with connect() as ws:
        await ws.send_message(Order(payload="wait"))
        waiting = asyncio.ensure_future(ws.expect(Result))
        await asyncio.sleep(0)
        gate_of(ws).set()
        assert (await waiting).payload == "wait"


async def test_expect_names_what_came_instead() -> None:
    """Type, time limit and the frames that came; they are still there."""
    async with connect() as ws:
        await ws.send_message(PingMessage())
        with pytest.raises(
            TimeoutError,
            match=r'Expected Result within 0\.02 s, but: \{"action":"pong","payload":null\}\.',
        ):
            await ws.expect(Result, timeout=0.02)
        assert await ws.expect(PongMessage) == PongMessage()


async def test_expect_lists_a_bounded_part() -> None:
    """Many and long frames do not flood the terminal."""
    async with connect() as ws:
        for _ in range(15):
            await ws.send_message(Order(payload="x" * 1000))
        await ws.idle()
        with pytest.raises(TimeoutError, match=r"…; and 5 more\.$") as failure:
            await ws.expect(PongMessage, timeout=0)
        assert len(str(failure.value)) < 4000


async def test_expect_refuses_what_is_never_sent() -> None:
    """An undeclared type is known not to come."""
    async with connect() as ws:
        with pytest.raises(
            TypeError, match=r"Worker does not declare that it sends Stranger.*emits"
        ):
            await ws.expect(Stranger)
        with pytest.raises(TypeError, match="does not declare"):
            await ws.request(PingMessage(), Stranger)


async def test_expect_is_told_of_the_end() -> None:
    """A close is raised with its code, and stays; an end without one is named."""
    async with connect() as ws:
        await ws.send_message(Order(payload="close"))
        with Took() as took, pytest.raises(ConnectionClosedError, match="4001"):
            await ws.expect(Result, timeout=10)
        await ws.assert_closed(4001)
        with pytest.raises(AssertionError, match="but the application has ended: nothing came"):
            await ws.expect(Result, timeout=10)
        assert took.seconds < 1


@pytest.mark.parametrize("way", ["request", "expect", "idle", "assert_nothing", "receive_all_json"])
async def test_application_error_is_raised_at_the_waiting_line(way: str) -> None:
    """Whatever the test is waiting for."""

    async def broken(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        raise ValueError("broken")

    ws = WebsocketCommunicator(broken, "/ws", consumer=Worker)
    await ws.send_message(PingMessage())
    calls: dict[str, Any] = {
        "request": lambda: ws.request(PingMessage(), timeout=10),
        "expect": lambda: ws.expect(PongMessage, timeout=10),
    }
    with Took() as took, pytest.raises(ValueError, match="broken"):
        await calls.get(way, getattr(ws, way))()
    assert took.seconds < 1


# Silence


async def test_idle_waits_for_what_runs() -> None:
    """A handler that waits keeps the connection busy; then nothing is left to wait for."""
    async with connect() as ws:
        await ws.send_message(Order(payload="wait"))
        await ws.send_message(PingMessage())
        with pytest.raises(TimeoutError, match=r"not idle within 0\.02 s"):
            await ws.idle(timeout=0.02)
        gate_of(ws).set()
        await ws.idle()
        assert ws.output_queue.qsize() == 2


async def test_idle_sends_nothing() -> None:
    """The engine is asked, not the wire."""
    async with connect() as ws:
        await ws.idle()
        assert ws.output_queue.empty()
        assert ws.input_queue.empty()


async def test_idle_of_a_connection_that_ended() -> None:
    """There is nothing to wait for."""
    ws = connect()
    await ws.send_message(Order(payload="close"))
    await ws.idle()
    await ws.assert_closed(4001)
    await ws.disconnect()
    await ws.idle()


async def test_idle_needs_a_consumer() -> None:
    """An application that is none of ours cannot be asked."""

    async def plain(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async with WebsocketCommunicator(plain, "/ws", consumer=Worker) as ws:
        with pytest.raises(RuntimeError, match="no chanx consumer has been reached"):
            await ws.idle(timeout=0.02)
        assert await ws.receive_nothing(timeout=0.01)
        assert await ws.receive_all_json(timeout=0.01) == []


async def test_nothing_is_nothing() -> None:
    """Completions are no news; anything else is named."""
    async with connect(send_completion=True) as ws:
        await ws.send_message(Order(payload="silence"))
        await ws.assert_nothing()
        assert ws.output_queue.empty()
        await ws.send_message(PingMessage())
        with pytest.raises(AssertionError, match=r'Expected nothing, but: \{"action":"pong"'):
            await ws.assert_nothing()


async def test_nothing_but_a_close() -> None:
    """The end of the connection is something."""
    async with connect() as ws:
        await ws.send_message(Order(payload="close"))
        with pytest.raises(AssertionError, match="Expected nothing, but: close 4001 'enough'"):
            await ws.assert_nothing()


async def test_receive_nothing_is_known_at_once() -> None:
    """As in the communicators of Channels, without their wait."""
    async with connect() as ws:
        with Took() as took:
            assert await ws.receive_nothing(timeout=10)
            await ws.send_message(PingMessage())
            assert not await ws.receive_nothing(timeout=10)
        assert took.seconds < 1


# Collecting


async def test_collecting_ends_when_nothing_more_can_come() -> None:
    """The time limit is for what is out of sight."""
    async with connect() as ws:
        await ws.send_message(Order(payload="notes"))
        with Took() as took:
            frames = await ws.receive_all_json(timeout=10)
            messages = await ws.receive_all_messages(timeout=10)
        assert [frame["action"] for frame in frames] == ["note", "note", "result"]
        assert (messages, messages.ended_by, messages.is_complete) == ([], "idle", False)
        assert took.seconds < 1


async def test_collecting_waits_while_another_connection_works() -> None:
    """Somebody else may still send to a group of this one."""
    async with connect() as ws, connect() as other:
        await other.send_message(Order(payload="wait"))
        with Took() as took:
            assert await ws.receive_all_json(timeout=0.05) == []
        assert took.seconds >= 0.05
        gate_of(other).set()
        await other.idle()


async def test_collecting_can_take_the_whole_time() -> None:
    """For what the test sends meanwhile."""
    async with connect() as ws:
        asyncio.get_running_loop().call_later(
            0.02,
            ws.input_queue.put_nowait,
            {"type": "websocket.receive", "text": '{"action":"ping"}'},
        )
        frames = await ws.receive_all_json(timeout=0.5, until_idle=False)
        assert [frame["action"] for frame in frames] == ["pong"]


async def test_collected_messages_say_why_there_are_no_more() -> None:
    """Complete, closed and timed out are told apart."""
    async with connect() as ws:
        await ws.send_message(Order(payload="notes"))
        messages = await ws.receive_all_messages(stop_action="result")
        assert messages == [Note(payload="one"), Note(payload="two"), Result(payload="notes")]
        assert (messages.ended_by, messages.is_complete) == ("complete", True)
        await ws.send_message(Order(payload="wait"))
        assert (await ws.receive_all_messages(timeout=0.02)).ended_by == "timeout"
        gate_of(ws).set()
        await ws.send_message(Order(payload="close"))
        messages = await ws.receive_all_messages(timeout=10)
        assert (messages, messages.ended_by) == ([Result(payload="wait")], "closed")
        await ws.assert_closed(4001)


async def test_json_and_subprotocol_of_the_handshake() -> None:
    """The raw side has what the communicators of Channels have."""

    async def choosy(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        await receive()
        assert scope["spec_version"] == 3
        accept = {"type": "websocket.accept", "subprotocol": scope["subprotocols"][1]}
        await send({**accept, "headers": [(b"x", b"y")]})
        await send({"type": "websocket.send", "text": (await receive())["text"]})
        await send({"type": "websocket.send", "bytes": b"\x00"})
        await receive()

    ws = WebsocketCommunicator(choosy, "/ws", None, ["a", "b"], 3, consumer=Worker)
    assert await ws.connect() == (True, "b")
    assert ws.response_headers == [(b"x", b"y")]
    await ws.send_json_to({"n": 1.5})
    assert await ws.receive_json_from() == {"n": 1.5}
    with pytest.raises(AssertionError, match="Expected a text frame"):
        await ws.receive_from()
    with pytest.raises(ValueError, match="not JSON compliant"):
        await ws.send_json_to({"n": float("nan")})
    await ws.disconnect()
