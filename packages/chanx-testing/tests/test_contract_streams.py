"""Contract tests of streams, cancelling, credit, repeated references and requests of the server."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import strategies as st
from pydantic import Field

from chanx.asyncapi import ConsumerRoute, generate_document
from chanx.core.decorators import ws_handler
from chanx.core.exceptions import MessageError
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import CompleteMessage, PongMessage
from chanx.testing.contract import ContractError, contract_tests
from chanx.type_defs import ASGIReceive, ASGISend, JSONObject, Scope

Consumer = type[ChanxWebsocketConsumerMixin[Any]]
Meddle = Callable[[JSONObject], list[JSONObject]]

BOTH = ("valid", "invalid")


class CountMessage(BaseMessage):
    """Asks for numbers from 1 to this one; for all of them if it is 0."""

    action: Literal["count"] = "count"
    payload: int = Field(ge=0, le=20)


class NumberMessage(BaseMessage):
    """One number."""

    action: Literal["number"] = "number"
    payload: int


class SayMessage(BaseMessage):
    """Some words."""

    action: Literal["say"] = "say"
    payload: str


class ReportMessage(BaseMessage):
    """Asks for a report, which takes a few turns of the event loop."""

    action: Literal["report"] = "report"
    payload: int = Field(ge=0, le=5)


class DeployMessage(BaseMessage):
    """Asks for something that the client has to approve."""

    action: Literal["deploy"] = "deploy"
    payload: None = None


class ApproveMessage(BaseMessage):
    """Asks the client."""

    action: Literal["approve"] = "approve"
    payload: str


class ApprovedMessage(BaseMessage):
    """The client's decision."""

    action: Literal["approved"] = "approved"
    payload: bool


class QuietMessage(BaseMessage):
    """Asks for nothing."""

    action: Literal["quiet"] = "quiet"
    payload: None = None


class Counting(ChanxWebsocketConsumerMixin[Any]):
    """Answers by a stream only."""

    @ws_handler
    async def count(self, message: CountMessage) -> AsyncIterator[NumberMessage]:
        """Count, with a pause now and then."""
        number = 0
        while number != message.payload or not number:
            number += 1
            if number % 3 == 0:
                await asyncio.sleep(0)
            yield NumberMessage(payload=number)


class Deploying(ChanxWebsocketConsumerMixin[Any]):
    """Asks its client."""

    requests: ClassVar[Any] = {ApproveMessage: ApprovedMessage}

    @ws_handler
    async def deploy(self, message: DeployMessage) -> SayMessage:
        """Ask first."""
        answer = await self.request(ApproveMessage(payload="sure?"), ApprovedMessage, timeout=30)
        if not answer.payload:
            raise MessageError("declined", "You declined")
        return SayMessage(payload="deployed")


class Reporting(ChanxWebsocketConsumerMixin[Any]):
    """Has a handler that can be cancelled."""

    @ws_handler(cancellable=True)
    async def report(self, message: ReportMessage) -> SayMessage:
        """Take a few turns."""
        for _ in range(message.payload):
            await asyncio.sleep(0)
        return SayMessage(payload="report")


class Honest(Counting, Deploying, Reporting):
    """Keeps its contract in every mode."""

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer once."""
        return PongMessage()

    @ws_handler
    async def quiet(self, message: QuietMessage) -> None:
        """Return nothing."""

    @ws_handler(output_type=NumberMessage)
    async def say(self, message: SayMessage) -> None:
        """Answer several times."""
        for number in range(len(message.payload)):
            await self.send_message(NumberMessage(payload=number))


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Keep what crashes log off the terminal: writing hundreds of tracebacks takes long."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def application(consumer: Consumer, meddle: Meddle | None = None) -> Callable[..., Any]:
    """Serve a consumer; each frame that it sends may be replaced on the way."""

    async def serve(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        async def pass_on(event: Any) -> None:
            if meddle is None or event["type"] != "websocket.send":
                await send(event)
                return
            for frame in meddle(json.loads(event["text"])):
                await send({"type": "websocket.send", "text": json.dumps(frame)})

        await consumer()(scope, receive, pass_on)

    return serve


def cases(test: Any) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the cases of a test as pytest runs them."""
    (mark,) = test.pytestmark
    for case in mark.args[1]:
        request, kind = case.values
        yield case.id, partial(test, request, kind)


def failures(
    consumer: Consumer, meddle: Meddle | None = None, *, only: str = "", **options: Any
) -> dict[str, str]:
    """Run every case, or `only` one; return the text of those that fail, by name."""
    options = {"max_examples": 10, "timeout": 0.5, "denied": ["declined"], **options}
    found: dict[str, str] = {}
    for name, run in cases(
        contract_tests(application(consumer, meddle), "/ws", consumer, **options)
    ):
        if only not in ("", name):
            continue
        try:
            run()
        except ContractError as error:
            found[name] = str(error)
    return found


# As in a user's own suite.
test_contract = contract_tests(
    application(Honest), "/ws", Honest, denied=["declined"], max_examples=15
)


class Camel(Honest):
    """Spells differently, completes everything, and has other names for control messages."""

    camelize = True
    discriminator_field = "kind"
    send_completion = True
    control_actions: ClassVar[Any] = {"cancel": "stop", "more": "go_on"}


test_contract_in_other_words = contract_tests(
    application(Camel), "/ws", Camel, denied=["declined"], max_examples=5
)


class Holding(Honest):
    """Sends what answers a message at its end."""

    send_message_immediately = False


test_contract_of_held_messages = contract_tests(
    application(Holding), "/ws", Holding, denied=["declined"], max_examples=5
)
test_contract_of_a_document = contract_tests(
    application(Honest),
    "/ws",
    document=generate_document([ConsumerRoute("/ws", (), Honest)]),
    strategies={"approved": st.just({"action": "approved", "payload": True})},
    max_examples=5,
)


def test_each_operation_has_the_tests_of_its_kind() -> None:
    """Control messages and answers to the server are no operations of their own."""
    assert sorted(name for name, _ in cases(test_contract)) == sorted(
        [
            *(f"{name}-{kind}" for name in ("ping", "quiet", "say", "deploy") for kind in BOTH),
            *(f"report-{kind}" for kind in (*BOTH, "cancel", "duplicate")),
            *(f"count-{kind}" for kind in (*BOTH, "cancel", "duplicate", "credit")),
        ]
    )


# Wrong streams


def is_item(frame: JSONObject) -> bool:
    """Tell whether a frame is an item of a stream."""
    return "seq" in frame


def gap(frame: JSONObject) -> list[JSONObject]:
    """Leave a number out."""
    return [{**frame, "seq": frame["seq"] + 1}] if frame.get("seq", 0) > 1 else [frame]


def twice(frame: JSONObject) -> list[JSONObject]:
    """Send each item twice."""
    return [frame, frame] if is_item(frame) else [frame]


def from_zero(frame: JSONObject) -> list[JSONObject]:
    """Count from 0."""
    return [{**frame, "seq": frame["seq"] - 1}] if is_item(frame) else [frame]


def unnumbered(frame: JSONObject) -> list[JSONObject]:
    """Send items as other answers."""
    return [{name: value for name, value in frame.items() if name != "seq"}]


def other_type(frame: JSONObject) -> list[JSONObject]:
    """Send items of a type that only another handler declares."""
    return [{**frame, "action": "say", "payload": "x"}] if is_item(frame) else [frame]


def two_ends(frame: JSONObject) -> list[JSONObject]:
    """End twice."""
    return [frame, frame] if frame["action"] == "complete" else [frame]


def late_item(frame: JSONObject) -> list[JSONObject]:
    """Send an item after the end."""
    if frame["action"] != "complete":
        return [frame]
    return [frame, {**frame, "action": "number", "payload": 1, "seq": 1}]


def no_end(frame: JSONObject) -> list[JSONObject]:
    """Never end."""
    return [] if frame["action"] in ("complete", "error") and "ref" in frame else [frame]


@pytest.mark.parametrize(
    ("meddle", "rule"),
    [
        (gap, "Item 2 of the stream that answers 'count' has `seq` 3"),
        (from_zero, "$.seq: 0 is less than the minimum of 1"),
        (twice, "Item 2 of the stream that answers 'count' has `seq` 1"),
        (unnumbered, "An item of the stream that answers 'count' has no `seq`"),
        (other_type, "The answer is none that count declares: number"),
        (two_ends, "A frame came after the end of the answer to 'count'"),
        (late_item, "A frame came after the end of the answer to 'count'"),
        (no_end, "The stream that answers 'count' has no end"),
    ],
)
def test_a_wrong_stream_is_caught(meddle: Meddle, rule: str) -> None:
    """With the rule, its cure, and the conversation."""
    (text,) = failures(Talking, meddle, only="count-valid").values()
    assert rule in text
    assert "\nsent: {" in text
    assert "\ncame: {" in text


class Talking(Counting):
    """Declares words as the answer to something else."""

    @ws_handler
    async def say(self, message: SayMessage) -> SayMessage:
        """Say it back."""
        return message


def test_an_undeclared_item_is_caught() -> None:
    """Its type is no part of the document."""

    class Bug(Counting):
        @ws_handler
        async def count(self, message: CountMessage) -> AsyncIterator[NumberMessage]:
            """Yield something else."""
            yield SayMessage(payload="one")  # type: ignore[misc]  # pyright: ignore[reportReturnType]

    found = failures(Bug, only="count-valid")
    assert "its type is not in the document, which has" in found["count-valid"]
    assert '"seq":1' in found["count-valid"]


def test_items_beyond_the_credit_are_caught() -> None:
    """A stream of messages sent by hand does not wait for the client."""

    class Bug(Counting):
        @ws_handler
        async def count(self, message: CountMessage) -> AsyncIterator[NumberMessage]:
            """Send more than it yields."""
            for number in range(5):
                await self.send_message(NumberMessage(payload=number))
            yield NumberMessage(payload=5)

    found = failures(Bug, only="count-valid")
    assert "Item 2 came although the client had given credit for 1" in found["count-valid"]
    assert "Yield items" in found["count-valid"]


# Wrong controls


def refless(code: str) -> Callable[[JSONObject], bool]:
    """Find the errors of a code."""
    return lambda frame: (
        frame["action"] == "error" and code in [item["type"] for item in frame["payload"]]
    )


def replaced(code: str, *frames: JSONObject) -> Meddle:
    """Replace the errors of a code."""
    is_meant = refless(code)
    return lambda frame: [*frames] if is_meant(frame) else [frame]


def renamed(code: str) -> Meddle:
    """Give the errors of a code another one."""
    item: JSONObject = {"type": "other", "loc": [], "msg": "Other"}
    is_meant = refless(code)
    return lambda frame: [{**frame, "payload": [item]}] if is_meant(frame) else [frame]


@pytest.mark.parametrize(
    ("meddle", "case", "rule"),
    [
        (replaced("cancelled"), "count-cancel", "The stream that answers 'count' has no end"),
        (renamed("cancelled"), "count-cancel", "A valid message was answered by an error"),
        (replaced("missing"), "count-cancel", "one error `missing` without a `ref`"),
        (renamed("missing"), "report-cancel", "one error `missing` without a `ref`"),
        (replaced("ref_in_use"), "count-duplicate", "one error `ref_in_use` without a `ref`"),
        (renamed("ref_in_use"), "report-duplicate", "one error `ref_in_use` without a `ref`"),
        (replaced("invalid_window"), "count-credit", "answered by one error"),
        (renamed("invalid_window"), "count-credit", "has the code other instead of invalid_window"),
    ],
)
def test_a_wrong_answer_to_a_control_is_caught(meddle: Meddle, case: str, rule: str) -> None:
    """One that is missing, and one with another code."""

    class Both(Counting, Reporting):
        pass

    assert rule in failures(Both, meddle, only=case)[case]


def test_a_reference_on_a_refusal_is_caught() -> None:
    """It would end the answer that is under way."""
    last: list[str] = []

    def under_the_reference(frame: JSONObject) -> list[JSONObject]:
        if "ref" in frame:
            last[:] = [frame["ref"]]
        elif refless("ref_in_use")(frame):
            return [{**frame, "ref": last[0]}]
        return [frame]

    found = failures(Counting, under_the_reference)
    assert set(found) == {"count-duplicate"}
    assert "A valid message was answered by an error" in found["count-duplicate"]


def test_an_answer_to_a_finished_reference_is_caught() -> None:
    """Later control messages are ignored."""
    ended: list[str] = []

    def answers_late(frame: JSONObject) -> list[JSONObject]:
        if "ref" in frame and not is_item(frame):
            ended.append(frame["ref"])
        if refless("missing")(frame) and ended:
            return [{"action": "complete", "payload": None, "ref": ended[-1]}, frame]
        return [frame]

    found = failures(Reporting, answers_late)
    assert set(found) == {"report-cancel"}
    assert "A frame came after the end of the answer to 'report'" in found["report-cancel"]


def test_a_cancel_without_effect_is_caught() -> None:
    """The answer goes on until the time is over."""

    class Deaf(Counting):
        disconnect_grace = 0.01

        @ws_handler
        async def count(self, message: CountMessage) -> AsyncIterator[NumberMessage]:
            """Hold on to the client."""
            yield NumberMessage(payload=1)
            with pytest.raises(asyncio.CancelledError):
                await asyncio.Event().wait()
            await asyncio.Event().wait()

    found = failures(Deaf, only="count-cancel", timeout=0.1, max_examples=20)
    assert (
        "not idle within 0.1 s: the answer to 'count' has not ended although it was cancelled"
        in found["count-cancel"]
    )


def test_an_answer_to_an_unknown_reference_is_caught() -> None:
    """The server knows nothing of it."""

    def answers_anything(frame: JSONObject) -> list[JSONObject]:
        if refless("missing")(frame):
            return [{"action": "complete", "payload": None, "ref": "nobody's"}, frame]
        return [frame]

    found = failures(Counting, answers_anything, only="count-cancel")
    assert "no message with it waits for an answer" in found["count-cancel"]


# Requests of the server


def test_a_request_that_is_not_declared_is_caught() -> None:
    """A client cannot know how to answer."""

    class Undeclared(Deploying):
        requests: ClassVar[Any] = {}
        emits: ClassVar[Any] = [ApproveMessage]

    found = failures(Undeclared)
    assert set(found) == {"deploy-valid"}
    assert "is not a request that the document declares" in found["deploy-valid"]
    assert "requests = {Question: Answer}" in found["deploy-valid"]


def test_a_request_without_its_reference_is_caught() -> None:
    """It was sent as any message."""

    class Pushed(Deploying):
        @ws_handler
        async def deploy(self, message: DeployMessage) -> SayMessage:
            """Ask in a wrong way."""
            task = asyncio.create_task(self.send_message(ApproveMessage(payload="sure?")))
            await task
            return SayMessage(payload="deployed")

    found = failures(Pushed, only="deploy-valid")
    assert "no `ref` that begins with `s.`" in found["deploy-valid"]


def test_a_refused_answer_is_caught() -> None:
    """The server waits for another type than the document says."""

    class Other(Deploying):
        @ws_handler
        async def deploy(self, message: DeployMessage) -> SayMessage:
            """Wait for the wrong thing."""
            await self.request(ApproveMessage(payload="sure?"), QuietMessage, timeout=0.1)
            return SayMessage(payload="deployed")

    found = failures(Other, only="deploy-valid", max_examples=3)
    assert "A valid answer to the server's request 's.1' was answered" in found["deploy-valid"]


def test_a_declined_answer_may_be_right() -> None:
    """As a denied message."""
    found = failures(Deploying, denied=[])
    assert set(found) == {"deploy-valid"}
    assert "A valid message was answered by an error" in found["deploy-valid"]
    assert '"payload":false' in found["deploy-valid"]
    assert failures(Deploying) == {}


# Other modes


def test_a_second_answer_is_caught() -> None:
    """Where one is declared, or none."""

    class Twice(Honest):
        @ws_handler
        async def ping(self, message: PingMessage) -> PongMessage:
            """Answer on the way, too."""
            await self.send_message(PongMessage())
            return PongMessage()

        @ws_handler
        async def quiet(self, message: QuietMessage) -> None:
            """Say what is not declared."""
            await self.send_message(PongMessage())

    found = {name: failures(Twice, only=name)[name] for name in ("ping-valid", "quiet-valid")}
    assert "'ping' declares one as its answer: pong; seen: pong, pong" in found["ping-valid"]
    assert "declares them by output_type" in found["ping-valid"]
    assert "The answer is none that quiet declares: none" in found["quiet-valid"]


def test_an_end_after_the_only_answer_is_caught() -> None:
    """In mode `one` the answer is the end."""

    def completes(frame: JSONObject) -> list[JSONObject]:
        is_answer = frame["action"] == "pong"
        return [frame, {**frame, "action": "complete"}] if is_answer else [frame]

    found = failures(Honest, completes, only="ping-valid")
    assert "seen: pong, complete" in found["ping-valid"]


def test_numbers_on_one_answer_are_caught() -> None:
    """They are for streams."""

    def numbers(frame: JSONObject) -> list[JSONObject]:
        return [{**frame, "seq": 1}] if frame["action"] == "pong" else [frame]

    found = failures(Honest, numbers, only="ping-valid")
    assert "'ping', which does not declare a stream" in found["ping-valid"]


def test_completions_that_options_ask_for_are_right() -> None:
    """One after each answer."""

    class Completing(Honest):
        send_completion = True

        @ws_handler
        async def quiet(self, message: QuietMessage) -> None:
            """Complete by hand, too."""
            await self.send_message(CompleteMessage())

    assert failures(Completing, only="ping-valid") == {}
    found = failures(Completing, only="quiet-valid")
    assert "after the end of the answer to 'quiet'" in found["quiet-valid"]


# Streams without credit or reference


class OwnWindow(BaseMessage):
    """Has a field of the envelope's name."""

    action: Literal["count"] = "count"
    payload: None = None
    window: str = ""


def test_a_stream_without_a_window_is_bounded_by_a_cancel() -> None:
    """The message keeps the field for itself."""
    with pytest.warns(UserWarning, match="has a field 'window'"):

        class Endless(ChanxWebsocketConsumerMixin[Any]):
            @ws_handler
            async def count(self, message: OwnWindow) -> AsyncIterator[NumberMessage]:
                """Count for ever."""
                number = 0
                while True:
                    number += 1
                    yield NumberMessage(payload=number)

    assert failures(Endless, max_examples=5, timeout=5) == {}
