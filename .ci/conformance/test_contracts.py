"""Contract tests on both integrations: what keeps its contract passes, and what breaks it fails with the rule."""

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, ClassVar, Literal

import django
import pytest
from django.conf import settings
from pydantic import Field

from chanx.core.decorators import ws_handler
from chanx.core.exceptions import MessageError
from chanx.core.topic import Topic
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.testing.contract import ContractError, contract_tests
from chanx.type_defs import JSONObject

Consumer = type[ChanxWebsocketConsumerMixin[Any]]
Meddle = Callable[[JSONObject], list[JSONObject]]


class CountMessage(BaseMessage):
    """Asks for numbers from 1 to this one; for all of them if it is 0."""

    action: Literal["count"] = "count"
    payload: int = Field(ge=0, le=20)


class NumberMessage(BaseMessage):
    """One number."""

    action: Literal["number"] = "number"
    payload: int


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


class Honest(ChanxWebsocketConsumerMixin[Any]):
    """Streams, asks its client, and has a handler that can be cancelled."""

    requests: ClassVar[Any] = {ApproveMessage: ApprovedMessage}

    @ws_handler
    async def count(self, message: CountMessage) -> AsyncIterator[NumberMessage]:
        """Count."""
        number = 0
        while number != message.payload or not number:
            number += 1
            yield NumberMessage(payload=number)

    @ws_handler(cancellable=True)
    async def deploy(self, message: DeployMessage) -> NumberMessage:
        """Ask first."""
        answer = await self.request(ApproveMessage(payload="sure?"), ApprovedMessage, timeout=30)
        if not answer.payload:
            raise MessageError("declined", "You declined")
        return NumberMessage(payload=1)


class Undeclared(Honest):
    """Asks without saying so."""

    requests: ClassVar[Any] = {}
    emits: ClassVar[Any] = [ApproveMessage]


def gap(frame: JSONObject) -> list[JSONObject]:
    """Leave a number out."""
    return [{**frame, "seq": frame["seq"] + 1}] if frame.get("seq", 0) > 1 else [frame]


def other_type(frame: JSONObject) -> list[JSONObject]:
    """Send items of a type that is not declared."""
    return [{**frame, "action": "word"}] if "seq" in frame else [frame]


def two_ends(frame: JSONObject) -> list[JSONObject]:
    """End twice."""
    return [frame, frame] if frame["action"] == "complete" else [frame]


def no_end(frame: JSONObject) -> list[JSONObject]:
    """Never end."""
    return [] if frame["action"] in ("complete", "error") and "ref" in frame else [frame]


def late_item(frame: JSONObject) -> list[JSONObject]:
    """Send an item after the end."""
    item = {**frame, "action": "number", "payload": 1, "seq": 1}
    return [frame, item] if frame["action"] == "complete" else [frame]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep what hundreds of wrong messages log off the terminal."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(params=["django", "fast-channels"])
def base(request: pytest.FixtureRequest) -> Consumer:
    """Return the consumer class of an integration."""
    if request.param == "django":
        if not settings.configured:
            settings.configure(INSTALLED_APPS=["channels", "chanx.channels"], SECRET_KEY="example")
            django.setup()
        from chanx.channels.websocket import AsyncJsonWebsocketConsumer as OnDjango

        return OnDjango
    from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer

    return AsyncJsonWebsocketConsumer


def application(consumer: Any, meddle: Meddle | None) -> Callable[..., Any]:
    """Serve a consumer; each frame that it sends may be replaced on the way."""
    served = consumer.as_asgi()

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        async def pass_on(event: Any) -> None:
            if meddle is None or event["type"] != "websocket.send":
                await send(event)
                return
            for frame in meddle(json.loads(event["text"])):
                await send({"type": "websocket.send", "text": json.dumps(frame)})

        await served(scope, receive, pass_on)

    return serve


def cases(
    base: Consumer, handlers: Consumer, meddle: Meddle | None = None
) -> dict[str, Callable[[], None]]:
    """Return the tests of a consumer on an integration, by name, as pytest runs them."""
    options = {"send_authentication_message": False, "authenticator_class": None}
    consumer: Any = type("Consumer", (handlers, base), options)
    test: Any = contract_tests(
        application(consumer, meddle),
        "/ws",
        consumer,
        denied=["declined"],
        max_examples=8,
        timeout=2,
    )
    (mark,) = test.pytestmark
    return {case.id: partial(test, *case.values) for case in mark.args[1]}


def test_what_keeps_its_contract_passes(base: Consumer) -> None:
    """In every conversation."""
    tests = cases(base, Honest)
    assert {name.partition("-")[2] for name in tests} == {
        "valid",
        "invalid",
        "cancel",
        "duplicate",
        "credit",
    }
    for run in tests.values():
        run()


@pytest.mark.parametrize(
    ("meddle", "case", "rule"),
    [
        (gap, "count-valid", "Item 2 of the stream that answers 'count' has `seq` 3"),
        (other_type, "count-valid", "its type is not in the document"),
        (two_ends, "count-valid", "A frame came after the end of the answer to 'count'"),
        (late_item, "count-valid", "A frame came after the end of the answer to 'count'"),
        (no_end, "count-cancel", "The stream that answers 'count' has no end"),
    ],
)
def test_what_breaks_its_contract_fails(
    base: Consumer, meddle: Meddle, case: str, rule: str
) -> None:
    """With the rule."""
    with pytest.raises(ContractError, match=rule):
        cases(base, Honest, meddle)[case]()


def test_a_request_that_is_not_declared_fails(base: Consumer) -> None:
    """With the cure."""
    with pytest.raises(ContractError, match=r"Declare it on the class: requests = "):
        cases(base, Undeclared)["deploy-valid"]()


class RoomTopic(Topic[Any]):
    """A room."""

    pattern = "room:{number}"

    async def authorize(self, number: int) -> bool:
        """Allow some."""
        return number < 9

    @ws_handler
    async def count(self, message: CountMessage) -> AsyncIterator[NumberMessage]:
        """Count."""
        for number in range(message.payload):
            yield NumberMessage(payload=number)


def topic_cases(base: Consumer, name: str, meddle: Meddle | None) -> dict[str, Callable[[], None]]:
    """Return the tests of a topic on an integration, by name."""
    options = {"send_authentication_message": False, "authenticator_class": None}
    consumer: Any = type("Hub", (base,), {**options, "topics": [RoomTopic]})
    test: Any = contract_tests(
        application(consumer, meddle),
        "/ws",
        consumer,
        channel="hub_room_topic",
        topic=name,
        max_examples=5,
        timeout=2,
    )
    (mark,) = test.pytestmark
    return {case.id: partial(test, *case.values) for case in mark.args[1]}


def test_a_topic_that_keeps_its_contract_passes(base: Consumer) -> None:
    """In every conversation."""
    tests = topic_cases(base, "room:5", None)
    assert {"count-unsubscribed", "subscribe-twice", "subscribe-unknown"} <= tests.keys()
    for run in tests.values():
        run()


def nameless(frame: JSONObject) -> list[JSONObject]:
    """Leave the topic out of items."""
    return [{key: value for key, value in frame.items() if key != "topic" or "seq" not in frame}]


@pytest.mark.parametrize(
    ("name", "meddle", "rule"),
    [
        ("room:5", nameless, "The answer to 'count' has no `topic`"),
        ("room:9", None, r"Give topic=\.\.\. a name that this client may have"),
    ],
)
def test_a_topic_that_breaks_its_contract_fails(
    base: Consumer, name: str, meddle: Meddle | None, rule: str
) -> None:
    """With the rule, or the cure."""
    with pytest.raises(ContractError, match=rule):
        topic_cases(base, name, meddle)["count-valid"]()
