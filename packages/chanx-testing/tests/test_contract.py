"""Contract tests: a consumer that keeps its contract passes, and each planted bug is caught."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError, field_validator

from chanx.asyncapi import ConsumerRoute, generate_document
from chanx.core.decorators import ws_handler
from chanx.core.guards import DeniedError, Guard
from chanx.core.topic import Topic
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing.contract import ContractError, contract_tests
from chanx.type_defs import ASGIReceive, ASGISend, Scope

Consumer = type[ChanxWebsocketConsumerMixin[Any]]


class Color(Enum):
    """A few."""

    RED = "red"
    BLUE = "blue"


class Node(BaseModel):
    """A tree."""

    name: str = Field(min_length=1, max_length=5, pattern="^[a-z]+$")
    children: list["Node"] = []


class Everything(BaseModel):
    """Every kind of field."""

    user_name: str = Field(max_length=20)
    when: datetime | None = None
    key: UUID
    price: Decimal
    count: int = Field(gt=3, le=9)
    half: float = Field(multiple_of=0.5)
    pair: tuple[int, str]
    unique: set[int]
    color: Color
    by_name: dict[str, int]
    anything: Any = None
    either: Annotated[int, Field(ge=0)] | list[str]
    node: Node
    level: int = Field(default=1, ge=1, lt=5)
    other: Color = Field(default=Color.RED, description="Another one.")
    fixed: Literal["x", 1]


class EverythingMessage(BaseMessage):
    """Everything."""

    action: Literal["everything", "all"] = "everything"
    payload: Everything


class TextMessage(BaseMessage):
    """Some text."""

    action: Literal["text"] = "text"
    payload: str = Field(max_length=30)


class QuietMessage(BaseMessage):
    """Asks for nothing."""

    action: Literal["quiet"] = "quiet"
    payload: None = None


class Undeclared(BaseMessage):
    """A message that the consumer does not declare."""

    action: Literal["undeclared"] = "undeclared"
    payload: None = None


class Small(ChanxWebsocketConsumerMixin[Any]):
    """Keeps its contract."""

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        return PongMessage()

    @ws_handler
    async def text(self, message: TextMessage) -> TextMessage:
        """Say it back."""
        return message

    @ws_handler
    async def quiet(self, message: QuietMessage) -> None:
        """Return nothing: judged by its completion."""


class Honest(Small):
    """Keeps a larger one."""

    @ws_handler
    async def everything(self, message: EverythingMessage) -> EverythingMessage:
        """Say it back."""
        return message


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Keep what crashes log off the terminal: writing hundreds of tracebacks takes long."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def application(consumer: Consumer) -> Callable[..., Any]:
    """Serve a consumer."""

    async def serve(scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        await consumer()(scope, receive, send)

    return serve


def cases(test: Any) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the cases of a test as pytest runs them."""
    (mark,) = test.pytestmark
    for case in mark.args[1]:
        request, kind = case.values
        yield case.id, partial(test, request, kind)


def failures(consumer: Consumer, **options: Any) -> dict[str, str]:
    """Run every case; return the text of those that fail, by name."""
    found: dict[str, str] = {}
    for name, run in cases(contract_tests(application(consumer), "/ws", consumer, **options)):
        try:
            run()
        except ContractError as error:
            found[name] = str(error)
    return found


# As in a user's own suite: one line each.
test_contract = contract_tests(application(Honest), "/ws", Honest)


class Camel(Honest):
    """Spells differently, under another key."""

    camelize = True
    discriminator_field = "kind"
    send_completion = True


test_contract_in_camel_case = contract_tests(application(Camel), "/ws?x=1", Camel)


class KeyedMessage(BaseMessage):
    """Has keys that are listed, and others."""

    action: Literal["keyed"] = "keyed"
    payload: dict[Literal["is_mine", "other"], dict[str, int]]


class Keyed(ChanxWebsocketConsumerMixin[Any]):
    """Translates keys of dictionaries as well."""

    camelize = True
    camelize_dicts = True

    @ws_handler
    async def keyed(self, message: KeyedMessage) -> KeyedMessage:
        """Say it back."""
        return message


test_contract_of_dictionary_keys = contract_tests(application(Keyed), "/ws", Keyed)

# From a document alone, nobody's class in sight.
test_contract_of_a_document = contract_tests(
    application(Honest),
    "/ws/7",
    document=generate_document(
        [ConsumerRoute("/other", (), Camel), ConsumerRoute("/ws/{number}", (), Honest)]
    ),
    # A schema does not tell which text is a number.
    strategies={
        "everything": st.just(
            {
                "action": "everything",
                "payload": {
                    "user_name": "ada",
                    "key": "00000000-0000-0000-0000-000000000000",
                    "price": 1,
                    "count": 4,
                    "half": 0.5,
                    "pair": [1, "x"],
                    "unique": [],
                    "color": "red",
                    "by_name": {"a": 1},
                    "either": ["x"],
                    "node": {"name": "a", "children": [{"name": "b"}]},
                    "fixed": 1,
                },
            }
        )
    },
)


def test_every_handler_is_tested_both_ways() -> None:
    """None is left out."""
    names = [name for name, _ in cases(test_contract)]
    assert sorted(names) == sorted(
        f"{handler}-{kind}"
        for handler in ("everything", "ping", "quiet", "text")
        for kind in ("valid", "invalid")
    )


# Planted bugs


def test_an_undeclared_answer_is_caught() -> None:
    """Whether returned or sent on the way."""

    class Bug(Small):
        @ws_handler(output_type=TextMessage)
        async def text(self, message: TextMessage) -> Any:
            """Return something else."""
            return Undeclared()

        @ws_handler
        async def quiet(self, message: QuietMessage) -> None:
            """Send what only others declare."""
            await self.send_message(PongMessage())

    found = failures(Bug, max_examples=5)
    assert set(found) == {"text-valid", "quiet-valid"}
    assert "its type is not in the document, which has" in found["text-valid"]
    assert '"undeclared"' in found["text-valid"]
    assert "The answer is none that quiet declares" in found["quiet-valid"]


def test_a_crash_is_caught() -> None:
    """On the one message that provokes it, which is named."""

    class Bug(Small):
        @ws_handler
        async def text(self, message: TextMessage) -> TextMessage:
            """Fail now and then."""
            if len(message.payload) > 3:
                raise ValueError(message.payload)
            return message

    found = failures(Bug)
    assert set(found) == {"text-valid"}
    assert "A valid message was answered by an error" in found["text-valid"]
    # The smallest message that does it.
    assert '"payload":"0000"' in found["text-valid"]


def test_an_echo_of_input_is_caught() -> None:
    """Errors say nothing that the client said."""

    class Bug(Small):
        async def handle_validation_error(self, error: ValidationError) -> None:
            """Tell too much."""
            detail = json.dumps([str(item["input"]) for item in error.errors(include_url=False)])
            item: dict[str, Any] = {"type": "echo", "loc": [], "msg": detail}
            await self.send_json({"action": "error", "payload": [item]})

    found = failures(Bug, max_examples=10)
    assert {name.rpartition("-")[2] for name in found} == {"invalid"}
    assert "What the client sent came back to it" in found["text-invalid"]


@pytest.mark.parametrize("kind", ["valid", "invalid"])
def test_a_closed_connection_is_caught(kind: str) -> None:
    """On valid and on invalid messages."""

    class ClosesOnValid(Small):
        @ws_handler
        async def text(self, message: TextMessage) -> TextMessage:
            """Go away."""
            await self.close(4000)
            return message

    class ClosesOnInvalid(Small):
        async def handle_validation_error(self, error: ValidationError) -> None:
            """Go away."""
            await self.close(4000)

    consumer = ClosesOnValid if kind == "valid" else ClosesOnInvalid
    found = failures(consumer, max_examples=5)
    assert (
        f"The connection was closed on {'a' if kind == 'valid' else 'an'} {kind}"
        in found[f"text-{kind}"]
    )
    if kind == "valid":
        assert failures(consumer, max_examples=5, may_close=["text"]) == {}


def test_an_accepted_invalid_message_is_caught() -> None:
    """A handler that runs on anything is no handler of its message."""

    class Bug(Small):
        async def handle_validation_error(self, error: ValidationError) -> None:
            """Pretend."""
            await self.send_message(PongMessage())

    found = failures(Bug, max_examples=5)
    assert "An invalid message is answered by one error" in found["ping-invalid"]


def test_an_error_that_says_nothing_is_caught() -> None:
    """The documented one lists what is wrong."""

    class Bug(Small):
        async def handle_validation_error(self, error: ValidationError) -> None:
            """Crash."""
            raise ValueError

    found = failures(Bug, max_examples=5)
    assert "does not say what is wrong" in found["ping-invalid"]


def test_silence_is_caught() -> None:
    """Every message is answered."""

    class Bug(Small):
        async def receive_json(self, content: Any, **kwargs: Any) -> None:
            """Do nothing."""

    found = failures(Bug, max_examples=3)
    assert len(found) == 6
    assert "Nothing answered a valid message" in found["text-valid"]
    assert "answered by one error, and by nothing else" in found["text-invalid"]


def test_a_frame_that_breaks_its_schema_is_caught() -> None:
    """Those without a question as well."""

    class Bug(Small):
        async def post_authentication(self) -> None:
            """Greet wrongly."""
            await self.send_json({"action": "pong", "payload": 7})

    class NotJSON(Small):
        async def post_authentication(self) -> None:
            """Greet wrongly."""
            await self.send(text_data="hello")

    assert "7 is not of type 'null'" in failures(Bug, max_examples=3)["ping-valid"]

    class NoObject(Small):
        async def post_authentication(self) -> None:
            """Greet wrongly."""
            await self.send(text_data="[1]")

    assert "A frame is not JSON" in failures(NotJSON, max_examples=3)["ping-valid"]
    assert "its type is not in the document" in failures(NoObject, max_examples=3)["ping-valid"]


def test_a_handler_that_does_not_end_is_caught() -> None:
    """Within the time for one message."""

    class Bug(Small):
        @ws_handler
        async def quiet(self, message: QuietMessage) -> None:
            """Wait too long."""
            await asyncio.sleep(1)

    found = failures(Bug, max_examples=1, timeout=0.2)
    assert "not idle within 0.2 s" in found["quiet-valid"]


def test_refusals_may_be_right() -> None:
    """A guard's code is declared to the test, and crashes are not let through by it."""

    class Never(Guard):
        async def check(self, consumer: Any, message: BaseMessage) -> None:
            """Refuse."""
            raise DeniedError("not_now", "Not now")

    class Guarded(Small):
        @ws_handler(guards=[Never()])
        async def text(self, message: TextMessage) -> TextMessage:
            """Never run."""
            return message

    assert "denied=..." in failures(Guarded, max_examples=3)["text-valid"]
    assert failures(Guarded, max_examples=3, denied=["not_now"]) == {}
    assert set(failures(Guarded, max_examples=3, denied=["other"])) == {"text-valid"}


# Nothing tested is a failure


class PickyMessage(BaseMessage):
    """Takes what no schema tells."""

    action: Literal["picky"] = "picky"
    payload: str

    @field_validator("payload")
    @classmethod
    def check(cls, payload: str) -> str:
        """Take one text only."""
        if payload != "abracadabra":
            raise ValueError("wrong")
        return payload


class Picky(ChanxWebsocketConsumerMixin[Any]):
    """Takes hardly anything."""

    @ws_handler
    async def picky(self, message: PickyMessage) -> PickyMessage:
        """Say it back."""
        return message


def test_no_example_is_a_failure() -> None:
    """With the cure; messages of one's own help."""
    found = failures(Picky)
    assert "No example ran" in found["picky-valid"]
    assert "strategies={...}" in found["picky-valid"]
    own = st.just(PickyMessage(payload="abracadabra"))
    assert failures(Picky, strategies={PickyMessage: own}, max_examples=3) == {}


def test_nothing_to_test_is_an_error() -> None:
    """When the test is made, so that it cannot be overlooked."""

    class Empty(ChanxWebsocketConsumerMixin[Any]):
        pass

    serve = application(Empty)
    document = generate_document([ConsumerRoute("/a", (), Small), ConsumerRoute("/b", (), Camel)])
    with pytest.raises(ValueError, match="'empty' has no handler of messages to test"):
        contract_tests(serve, "/ws", Empty)
    with pytest.raises(ValueError, match="pass a consumer class, or document="):
        contract_tests(serve, "/ws")
    with pytest.raises(ValueError, match=r"'/c' is not one channel .*: small \(/a\), camel \(/b\)"):
        contract_tests(serve, "/c", document=document)
    with pytest.raises(ValueError, match="'c' is not one channel"):
        contract_tests(serve, "/a", document=document, channel="c")
    assert contract_tests(serve, "/x", document=document, channel="camel") is not None


def test_an_address_is_that_of_the_consumer_and_not_of_its_topics() -> None:
    class NewsTopic(Topic[Any]):
        pattern = "news"

    class Hub(Small):
        topics = (NewsTopic,)

    assert contract_tests(application(Hub), "/ws", Hub) is not None


def test_headers_are_made_for_each_connection() -> None:
    """Tokens are made when the test runs, not when it is collected."""
    made: list[int] = []
    seen: list[Any] = []

    class Looking(Small):
        async def post_authentication(self) -> None:
            """Look."""
            seen.extend(self.scope["headers"])

    def headers() -> list[tuple[bytes, bytes]]:
        made.append(1)
        return [(b"authorization", b"x")]

    assert failures(Looking, headers=headers, max_examples=2) == {}
    assert len(made) == len(seen) > 8
