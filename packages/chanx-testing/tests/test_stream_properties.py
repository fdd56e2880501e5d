"""Whatever a client sends and in which order: one end for each request, numbers without gaps, nothing after the end."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from chanx.core import open_connections
from chanx.core.decorators import ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.testing import WebsocketCommunicator
from chanx.type_defs import JSONObject

REFS = st.sampled_from(["a", "b", "c"])
WINDOWS = st.sampled_from([None, 1, 3, 0, True, "x"])


class AskMessage(BaseMessage):
    """Asks for so many items."""

    action: Literal["ask"] = "ask"
    payload: int


class WorkMessage(BaseMessage):
    """Asks for something that takes a few turns of the event loop."""

    action: Literal["work"] = "work"
    payload: int


class ItemMessage(BaseMessage):
    """An item."""

    action: Literal["item"] = "item"
    payload: int


class Answering(ChanxWebsocketConsumerMixin[Any]):
    """Answers by streams, and slowly."""

    max_streams = 2
    max_pending = 4

    @ws_handler
    async def ask(self, message: AskMessage) -> AsyncIterator[ItemMessage]:
        """Yield items, some of them after a while."""
        for number in range(message.payload):
            if number % 3 == 2:
                await asyncio.sleep(0)
            yield ItemMessage(payload=number)

    @ws_handler(cancellable=True)
    async def work(self, message: WorkMessage) -> ItemMessage:
        """Take a few turns."""
        for _ in range(message.payload):
            await asyncio.sleep(0)
        return ItemMessage(payload=message.payload)


async def serve(scope: Any, receive: Any, send: Any) -> None:
    """Serve one connection."""
    await Answering()(scope, receive, send)


class Conversation(RuleBasedStateMachine):
    """One connection, and what is known of each reference."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.asked: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.refused = 0
        self.numbers: Counter[str] = Counter()
        self.ws = WebsocketCommunicator(serve, "/ws", consumer=Answering)
        self.runner.run(self.ws.connect())

    def send(self, **frame: Any) -> None:
        """Send a frame, and look at what has come."""

        async def exchange() -> None:
            await self.ws.send_to(text_data=json.dumps(frame))
            await asyncio.sleep(0)
            self.look()

        self.runner.run(exchange())

    def look(self) -> None:
        """Check the frames that have come."""
        while (event := self.ws.output_queue.take()) is not None:
            self.check(json.loads(event["text"]))

    def check(self, frame: JSONObject) -> None:
        """Check one frame against what came before it."""
        ref = frame.get("ref")
        if ref is None:
            self.refused += frame["payload"][0]["type"] == "ref_in_use"
            return
        # Something under it has been asked, and not ended yet.
        assert self.ended[ref] < self.asked[ref], frame
        if "seq" in frame:
            self.numbers[ref] += 1
            assert frame["seq"] == self.numbers[ref], frame
            return
        self.ended[ref] += 1
        self.numbers[ref] = 0

    @rule(ref=REFS, items=st.integers(0, 12), window=WINDOWS)
    def ask(self, ref: str, items: int, window: object) -> None:
        """Ask for a stream."""
        self.asked[ref] += 1
        keys = {} if window is None else {"window": window}
        self.send(action="ask", payload=items, ref=ref, **keys)

    @rule(ref=REFS, turns=st.integers(0, 5))
    def work(self, ref: str, turns: int) -> None:
        """Ask for one answer."""
        self.asked[ref] += 1
        self.send(action="work", payload=turns, ref=ref)

    @rule(ref=REFS)
    def cancel(self, ref: str) -> None:
        """Cancel, whatever is under the reference."""
        self.send(action="cancel", ref=ref)

    @rule(ref=REFS, credit=st.sampled_from([1, 2, 1024, 0, -1, True, "x", None]))
    def more(self, ref: str, credit: object) -> None:
        """Give credit, valid or not."""
        self.send(action="more", payload=credit, ref=ref)

    @rule()
    def wait(self) -> None:
        """Let the server go on."""
        self.send(action="nothing of ours")

    def teardown(self) -> None:
        """Cancel what is left: then each request has had its end, or was refused."""
        self.runner.run(self.finish())
        self.runner.close()

    async def finish(self) -> None:
        """End the conversation."""
        for ref in ("a", "b", "c"):
            await self.ws.send_to(text_data=json.dumps({"action": "cancel", "ref": ref}))
        await self.ws.idle()
        self.look()
        assert sum(self.asked.values()) == sum(self.ended.values()) + self.refused
        await self.ws.disconnect()
        assert open_connections() == 0


def test_conversations() -> None:
    """Requests, cancelling and credit in any order."""
    run_state_machine_as_test(
        Conversation, settings=settings(max_examples=60, stateful_step_count=30, deadline=None)
    )
