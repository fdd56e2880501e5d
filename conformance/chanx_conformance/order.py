"""In which order messages are handled, and how many at once."""

import pytest

from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx_conformance.consumers import Basic, Overriding
from chanx_conformance.models import PONG, ChatMessage, ChatPayload, NewsEvent, WaitMessage
from chanx_conformance.suite import Consumer, Suite, until

__all__ = ["OrderTests"]


class OrderTests(Suite):
    """In which order messages are handled, and how many at once."""

    async def test_messages_are_handled_in_order(self) -> None:
        """By default one message is handled at a time, and the next ones wait."""
        async with self.connect() as ws:
            for number in range(3):
                await ws.send_message(WaitMessage(payload=number))
            await until(lambda: Basic.handled == [0])
            Basic.gate.set()
            assert [(await ws.receive_json_from())["payload"] for _ in range(3)] == [0, 1, 2]

    async def test_concurrency_lets_several_run(self) -> None:
        """`message_concurrency` messages are handled at once."""
        async with self.connect(message_concurrency=2) as ws:
            for number in range(3):
                await ws.send_message(WaitMessage(payload=number))
            await until(lambda: Basic.handled == [0, 1])
            Basic.gate.set()
            assert {(await ws.receive_json_from())["payload"] for _ in range(3)} == {0, 1, 2}

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    async def test_concurrent_handler_does_not_wait(self, handlers: Consumer) -> None:
        """A handler that is marked `concurrent` runs beside the one that is waiting."""

        class Urgent(handlers):  # type: ignore[misc, valid-type]
            @ws_handler(concurrent=True)
            async def ping(self, message: PingMessage) -> PongMessage:
                """Answer at once."""
                return PongMessage()

        async with self.connect(Urgent) as ws:
            await ws.send_message(WaitMessage(payload=1), ref="slow")
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            await ws.send_message(PingMessage(), ref="urgent")
            assert (await ws.receive_json_from())["ref"] == "urgent"
            Basic.gate.set()
            assert (await ws.receive_json_from())["ref"] == "slow"
            assert (await ws.receive_json_from())["action"] == "chat"

    async def test_concurrent_handlers_are_bounded(self) -> None:
        """Never more than `max_in_flight` run, and `max_pending` wait, whatever they are."""

        class Eager(Basic):
            @ws_handler(concurrent=True)
            async def wait(self, message: WaitMessage) -> WaitMessage | None:
                """Wait."""
                return await super().wait(message)

        async with self.connect(Eager, max_in_flight=3, max_pending=2) as ws:
            for number in range(10):
                await ws.send_message(WaitMessage(payload=number))
            await until(lambda: Basic.handled == [0, 1, 2])
            await until(lambda: ws.input_queue.qsize() == 4)
            Basic.gate.set()
            numbers = [(await ws.receive_json_from())["payload"] for _ in range(10)]
            assert sorted(numbers) == list(range(10))

    async def test_handler_timeout_is_told(self) -> None:
        """A handler that takes too long is cancelled; its client gets `timeout`, and goes on."""
        async with self.connect(handler_timeout=0.02) as ws:
            await ws.send_message(WaitMessage(payload=1), ref="1")
            frame = await ws.receive_json_from()
            assert (frame["ref"], frame["payload"][0]["type"]) == ("1", "timeout")
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG

    async def test_events_do_not_wait_for_messages(self) -> None:
        """While a handler runs, events and group messages go on."""
        async with self.connect(Basic) as ws:
            await ws.send_message(WaitMessage(payload=1))
            await ws.consumer.broadcast_event(NewsEvent(payload="now"))
            assert (await ws.receive_json_from())["payload"]["user_name"] == "now"
            Basic.gate.set()
            assert (await ws.receive_json_from())["action"] == "wait"

    async def test_reader_stops_at_the_bound(self) -> None:
        """With one message running and the line full, the socket is not read."""
        async with self.connect(max_pending=2) as ws:
            for number in range(10):
                await ws.send_message(WaitMessage(payload=number))
            await until(lambda: ws.input_queue.qsize() <= 6)
            assert ws.input_queue.qsize() == 6  # one running, two waiting, one in the reader's hand
            Basic.gate.set()
            assert [(await ws.receive_json_from())["payload"] for _ in range(10)] == list(range(10))

    async def test_held_frames_leave_together(self) -> None:
        """Without `send_message_immediately`, what one message produces leaves when its handling ends."""

        class Several(Basic):
            @ws_handler(output_type=WaitMessage)
            async def wait(self, message: WaitMessage) -> None:
                """Send twice around the gate."""
                await self.send_message(message)
                self.handled.append(message.payload)
                await self.gate.wait()
                await self.send_message(message)

        async with self.connect(Several, send_message_immediately=False) as ws:
            await ws.send_message(WaitMessage(payload=1))
            await until(lambda: Basic.handled == [1])
            assert ws.output_queue.empty()
            Basic.gate.set()
            assert [(await ws.receive_json_from())["payload"] for _ in range(2)] == [1, 1]
