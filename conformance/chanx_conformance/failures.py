"""What every integration must do when something goes wrong, or is too much."""

import asyncio
import time
from math import inf
from typing import Any, Literal

import pytest
from pydantic import BaseModel, field_validator

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.health import snapshot
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.type_defs import JSONObject
from chanx_conformance.consumers import RAISED, RETURNED, Fragile, HookByHook
from chanx_conformance.models import PONG, FailMessage, NewsEvent
from chanx_conformance.suite import Consumer, Suite

__all__ = ["FailureTests"]

DELAYS = (0.03, 0.02, 0.01, 0.0)


class Picky(BaseModel):
    """Has a validator that fails in a way that pydantic does not know."""

    name: str

    @field_validator("name")
    @classmethod
    def look_up(cls, name: str) -> str:
        """Fail."""
        raise KeyError(f"secret {name}")


class PickyMessage(BaseMessage):
    """A message whose validation goes wrong."""

    action: Literal["picky"] = "picky"
    payload: Picky


class NumbersMessage(BaseMessage):
    """A message with many values."""

    action: Literal["numbers"] = "numbers"
    payload: list[int]


class LateMessage(BaseMessage):
    """Asks for an answer after a while."""

    action: Literal["late"] = "late"
    payload: float


GROUP_MESSAGE: JSONObject = {
    "type": "handle_group_message",
    "message": {"action": "fail", "payload": "to all"},
}


class Failing(Fragile):
    """Does what it is told, which mostly is wrong."""

    groups: list[str] = ["lobby"]  # noqa: RUF012 - the documented way to write it

    @ws_handler
    async def picky(self, message: PickyMessage) -> PongMessage:
        """Never run."""
        return PongMessage()

    @ws_handler
    async def numbers(self, message: NumbersMessage) -> PongMessage:
        """Take numbers."""
        return PongMessage()

    @ws_handler
    async def late(self, message: LateMessage) -> LateMessage:
        """Answer after a while."""
        await asyncio.sleep(message.payload)
        return message

    @event_handler
    async def news(self, event: NewsEvent) -> FailMessage:
        """Pass it on when the gate is open."""
        await self.gate.wait()
        return FailMessage(payload=event.payload)


class FailingHookByHook(HookByHook, Failing):
    """Does the same with hooks on the way."""


class Foreign:
    """An object that no layer can carry; its name is the same in every process that runs tests."""

    def __repr__(self) -> str:
        return "an object"


class FailureTests(Suite):
    """The behaviour of one connection when something goes wrong, through the public door."""

    # Handlers and validators

    @pytest.mark.parametrize(
        ("handlers", "completion"), [(Failing, False), (FailingHookByHook, True)]
    )
    @pytest.mark.parametrize("way", [*RAISED, "recursion", *RETURNED])
    async def test_handler_that_fails_answers_once(
        self, handlers: Consumer, way: str, completion: bool
    ) -> None:
        """One error under the reference, without a word of the exception's, and the connection goes on."""
        async with self.connect(handlers, send_completion=completion) as ws:
            await ws.send_message(FailMessage(payload=way), ref="1")
            await ws.send_message(PingMessage(), ref="2")
            texts = [await ws.receive_from() for _ in range(4 if completion else 2)]
        assert "secret" not in "".join(texts)
        assert ['"ref":"1"' in text for text in texts].count(True) == 1
        assert '"detail":"Failed to process message for fail"' in texts[0]
        assert '"pong"' in texts[2 if completion else 1]

    @pytest.mark.parametrize("handlers", [Failing, FailingHookByHook])
    async def test_validator_that_fails_answers_once(
        self, handlers: Consumer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It may raise what pydantic does not know: the client gets an error, and goes on."""
        async with self.connect(handlers) as ws:
            text = '{"action":"picky","payload":{"name":"zzz"},"ref":"1"}'
            await ws.send_to(text_data=text)
            error = await ws.receive_json_from()
            assert (error["action"], error["ref"]) == ("error", "1")
            assert error["payload"] == {"detail": "Failed to process message"}
            await ws.send_to(text_data=text.replace(',"ref":"1"', ""))
            assert (await ws.receive_json_from())["payload"] == error["payload"]
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG
        assert caplog.text.count("KeyError: 'secret zzz'") == 2

    @pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
    def test_wish_to_end_the_process_is_obeyed(self, error: BaseException) -> None:
        """`SystemExit` and `KeyboardInterrupt` of a handler are nobody's failure."""

        class Ending(Failing):
            @ws_handler
            async def ping(self, message: PingMessage) -> PongMessage:
                """End the process."""
                raise error

        async def run() -> None:
            async with self.connect(Ending) as ws:
                await ws.send_message(PingMessage())
                await ws.receive_json_from(timeout=5)

        with pytest.raises(type(error)):
            asyncio.run(run())

    @pytest.mark.parametrize(
        ("number", "limit", "seconds"), [(16_000, 64 * 1024, 0.25), (200_000, None, 1)]
    )
    async def test_many_errors_cost_little(
        self, number: int, limit: int | None, seconds: float
    ) -> None:
        """As many wrong values as fit into a frame: an answer of 4 KiB, for little time of the processor."""
        text = '{"action":"numbers","payload":[' + ",".join(['"x"'] * number) + "]}"
        spent: list[float] = []
        async with self.connect(Failing, max_message_bytes=limit) as ws:
            while len(spent) < 5 and min(spent, default=inf) > seconds:
                began = time.process_time()
                await ws.send_to(text_data=text)
                answer = await ws.receive_from(timeout=5)
                spent.append(time.process_time() - began)
                assert len(answer) <= 4096
                assert '"loc":["numbers","payload",0]' in answer
        # Other programs make a run slower, and none faster.
        assert min(spent) <= seconds

    async def test_group_that_the_layer_refuses_closes(self) -> None:
        """A wrong name in a hook closes with 1011, and the groups joined before are left."""

        class Joining(Failing):
            async def post_authentication(self) -> None:
                """Join."""
                await self.join_group("right")
                await self.join_group("wrong name!")

        ws = self.connect(Joining)
        await ws.connect()
        await ws.assert_closed(1011)
        await ws.wait()

    async def test_group_that_the_layer_refuses_harms_nobody_else(self) -> None:
        """Names may come from clients: a wrong one is forgotten, and the layer is not taken for failed."""

        class Joining(Failing):
            async def post_authentication(self) -> None:
                """Join."""
                await self.join_group("wrong name!")

        outages = snapshot().outages
        async with self.connect(Joining) as ws:
            await ws.assert_closed(1011)
        for _ in range(2):  # the first finds what was left behind, and the second what comes of it
            async with self.connect(Failing) as ws:
                await ws.send_message(PingMessage())
                assert await ws.receive_json_from() == PONG
        assert snapshot().outages == outages

    # Order and references

    async def test_replies_keep_the_order_of_requests(self) -> None:
        """However long each takes, where one message is handled at a time."""
        async with self.connect(Failing) as ws:
            for delay in DELAYS:
                await ws.send_message(LateMessage(payload=delay))
            replies = [(await ws.receive_json_from())["payload"] for _ in DELAYS]
        assert replies == [*DELAYS]

    @pytest.mark.parametrize("handlers", [Failing, FailingHookByHook])
    async def test_what_a_background_task_pushes_has_no_reference(self, handlers: Consumer) -> None:
        """The reference belongs to the answer, also while the request is still being handled."""

        class Starting(handlers):  # type: ignore[misc, valid-type]
            @ws_handler
            async def ping(self, message: PingMessage) -> PongMessage:
                """Start a task that pushes, and wait for it."""
                task = asyncio.create_task(self.send_message(FailMessage(payload="push")))
                await task
                return PongMessage()

        async with self.connect(Starting) as ws:
            await ws.send_message(PingMessage(), ref="1")
            pushed, answer = [await ws.receive_json_from() for _ in range(2)]
        assert pushed == {"action": "fail", "payload": "push"}
        assert answer == {**PONG, "version": 1, "ref": "1"}

    # A consumer whose events come faster than it handles them

    @pytest.mark.parametrize(
        ("policy", "heard"),
        [("drop_oldest", ["0", "8", "9"]), ("drop_newest", ["0", "1", "2"])],
    )
    async def test_events_that_are_too_many_are_dropped_by_policy(
        self, policy: str, heard: list[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        """Of ten events the one that is being handled and two that wait are kept.

        The others are counted, and the log says so, once.
        """
        before = snapshot().dropped.get("slow_consumer", 0)
        async with self.connect(Failing, event_queue=2, outbound_policy=policy) as ws:
            await self.tell(ws.consumer, 10)
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG
            Failing.gate.set()
            assert [(await ws.receive_json_from())["payload"] for _ in heard] == heard
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG
        assert snapshot().dropped["slow_consumer"] - before == 7
        assert caplog.text.count("Slow consumer") == 1

    async def test_events_that_are_too_many_close(self, caplog: pytest.LogCaptureFixture) -> None:
        """By default the client is told by the code 4008, so that it never misses one without knowing."""
        ws = self.connect(Failing, event_queue=2)
        await ws.connect()
        await self.tell(ws.consumer, 10)
        await ws.assert_closed(4008)
        Failing.gate.set()
        await ws.wait()
        assert caplog.text.count("Slow consumer") == 1

    async def test_events_that_fit_are_all_delivered(self) -> None:
        """Up to the bound, nothing is lost."""
        async with self.connect(Failing, event_queue=9) as ws:
            await self.tell(ws.consumer, 10)
            Failing.gate.set()
            heard = [(await ws.receive_json_from())["payload"] for _ in range(10)]
        assert heard == [str(number) for number in range(10)]

    async def tell(self, consumer: Consumer, number: int) -> None:
        """Broadcast so many events."""
        for n in range(number):
            await consumer.broadcast_event(NewsEvent(payload=str(n)), "lobby")
            await asyncio.sleep(0)

    # A group with a member that fails

    async def test_member_that_fails_harms_no_other(self, caplog: pytest.LogCaptureFixture) -> None:
        """What goes wrong with one member is logged, and the others receive what was sent."""

        def raise_error(consumer: Any) -> bool:
            raise ValueError("secret")

        options = {"should_send_completion": property(raise_error)}
        async with self.connect(Failing, **options), self.connect(Failing) as ws:
            await ws.consumer.get_channel_layer("default").group_send("lobby", GROUP_MESSAGE)
            assert (await ws.receive_json_from())["payload"] == "to all"
        assert "Group message could not be delivered" in caplog.text

    # Layer messages

    @pytest.mark.parametrize(
        "event",
        [
            {},
            {"type": None},
            {"type": 7},
            {"type": ["handle_group_message"]},
            {"type": "_x"},
            {"type": "__init__"},
            {"type": "disconnect", "code": 1000},
            {"type": "websocket_disconnect", "code": 1000},
            {"type": "send_message", "message": {"action": "pong"}},
            {"type": "handle_group_message", "message": "text"},
            {"type": "handle_group_message", "message": {"action": "pong", "x": Foreign()}},
            {"type": "handle_channel_event", "event_data": "text"},
            {"type": "handle_channel_event", "event_data": {"action": "news", "payload": {}}},
            {"type": "handle_channel_event", "data": {"action": "news", "payload": "old"}},
        ],
        ids=str,
    )
    async def test_strange_layer_message_harms_nobody(self, layer: Any, event: JSONObject) -> None:
        """Whatever somebody sends to a group, members go on; nothing but the two types is dispatched."""
        Failing.gate.set()
        async with self.connect(Failing) as ws:
            await layer.group_send("lobby", event)
            await ws.consumer.broadcast_event(NewsEvent(payload="still here"))
            assert (await ws.receive_json_from())["payload"] == "still here"
