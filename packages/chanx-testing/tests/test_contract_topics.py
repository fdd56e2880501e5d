"""Contract tests of topics: the client subscribes first, every answer names the topic, and strangers are refused."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field

from chanx.asyncapi import ConsumerRoute, generate_document
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.exceptions import MessageError
from chanx.core.topic import Topic
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import FaultyChannelLayer
from chanx.testing.contract import ContractError, contract_tests
from chanx.type_defs import ASGIReceive, ASGISend, JSONObject, Scope

Consumer = type[ChanxWebsocketConsumerMixin[Any]]
Meddle = Callable[[JSONObject], list[JSONObject]]

NAME = "room:5:a"
BASIC = ("valid", "invalid", "unsubscribed")


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
    payload: str = Field(max_length=20)


class HeardMessage(BaseMessage):
    """What a client hears of others."""

    action: Literal["heard"] = "heard"
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


class RoomTopic(Topic[HeardMessage]):
    """Does everything that a consumer does."""

    pattern = "room:{number}:{part}"
    requests: ClassVar[Any] = {ApproveMessage: ApprovedMessage}

    async def authorize(self, number: int, part: str) -> bool:
        """Allow all."""
        return True

    async def on_subscribe(self) -> None:
        """Greet."""
        await self.send_message(HeardMessage(payload="hello"))

    @ws_handler
    async def say(self, message: SayMessage) -> SayMessage:
        """Tell everyone."""
        await self.broadcast(HeardMessage(payload=message.payload))
        return message

    @event_handler
    async def heard(self, event: HeardMessage) -> HeardMessage:
        """Pass it on."""
        return event

    @ws_handler
    async def count(self, message: CountMessage) -> AsyncIterator[NumberMessage]:
        """Count, with a pause now and then."""
        number = 0
        while number != message.payload or not number:
            number += 1
            if number % 3 == 0:
                await asyncio.sleep(0)
            yield NumberMessage(payload=number)

    @ws_handler
    async def deploy(self, message: DeployMessage) -> SayMessage:
        """Ask first."""
        answer = await self.request(ApproveMessage(payload="sure?"), ApprovedMessage, timeout=30)
        if not answer.payload:
            raise MessageError("declined", "You declined")
        return SayMessage(payload="deployed")

    @ws_handler(cancellable=True)
    async def report(self, message: ReportMessage) -> SayMessage:
        """Take a few turns."""
        for _ in range(message.payload):
            await asyncio.sleep(0)
        return SayMessage(payload="report")


class NewsTopic(Topic[HeardMessage]):
    """Takes no messages."""

    pattern = "news"

    @event_handler
    async def heard(self, event: HeardMessage) -> HeardMessage:
        """Pass it on."""
        return event


def the_layer(alias: str) -> FaultyChannelLayer:
    """Return the same under every alias."""
    return Hub.layer


class Hub(ChanxWebsocketConsumerMixin[Any]):
    """Has the topics, a handler of its own, and something to say to each client."""

    topics: ClassVar[Any] = [NewsTopic, RoomTopic]
    requests: ClassVar[Any] = {ApproveMessage: ApprovedMessage}
    layer: ClassVar[FaultyChannelLayer] = FaultyChannelLayer()

    get_channel_layer: ClassVar[Any] = staticmethod(the_layer)

    async def post_authentication(self) -> None:
        """Greet."""
        await self.send_message(PongMessage())

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        return PongMessage()


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


def cases(test: Any) -> dict[str, Callable[[], None]]:
    """Return the cases of a test by name, as pytest runs them."""
    (mark,) = test.pytestmark
    return {case.id: partial(test, *case.values) for case in mark.args[1]}


def failure(
    case: str, meddle: Meddle | None = None, consumer: Consumer = Hub, **options: Any
) -> str:
    """Run a case that has to fail, and return its text."""
    options = {"channel": "hub_room_topic", "topic": NAME, "denied": ["declined"], **options}
    test = contract_tests(
        application(consumer, meddle), "/ws", consumer, max_examples=5, timeout=0.5, **options
    )
    with pytest.raises(ContractError) as failed:
        cases(test)[case]()
    return str(failed.value)


# As in a user's own suite.
test_contract = contract_tests(
    application(Hub),
    "/ws",
    Hub,
    channel="hub_room_topic",
    topic=NAME,
    denied=["declined"],
    max_examples=3,
)
test_contract_of_made_names = contract_tests(
    application(Hub), "/ws", Hub, channel="hub_room_topic", denied=["declined"], max_examples=3
)
test_contract_of_events_only = contract_tests(
    application(Hub), "/ws", Hub, channel="hub_news_topic"
)
test_contract_of_the_consumer = contract_tests(application(Hub), "/ws", Hub, max_examples=3)
test_contract_of_a_document = contract_tests(
    application(Hub),
    "/ws",
    document=generate_document([ConsumerRoute("/ws", (), Hub)]),
    channel="hub_room_topic",
    topic=lambda: NAME,
    denied=["declined"],
    max_examples=3,
)


class Camel(Hub):
    """Spells differently, completes everything, and has other names for control messages."""

    camelize = True
    discriminator_field = "kind"
    send_completion = True
    control_actions: ClassVar[Any] = {
        "cancel": "stop",
        "more": "go_on",
        "subscribe": "join",
        "unsubscribe": "leave",
    }


test_contract_in_other_words = contract_tests(
    application(Camel),
    "/ws",
    Camel,
    channel="camel_room_topic",
    topic=NAME,
    denied=["declined"],
    max_examples=3,
)


class DefaultHub(Hub):
    """Subscribes its clients to the news."""

    topics: ClassVar[Any] = [NewsTopic]
    default_topic = NewsTopic


test_contract_of_a_default_topic = contract_tests(
    application(DefaultHub), "/ws", DefaultHub, channel="news_topic", max_examples=3
)


def test_each_operation_has_the_tests_of_its_kind() -> None:
    """The requests about topics have their own."""
    assert sorted(cases(test_contract)) == sorted(
        [
            *(f"{name}-{kind}" for name in ("say", "deploy") for kind in BASIC),
            *(f"report-{kind}" for kind in (*BASIC, "cancel", "duplicate")),
            *(f"count-{kind}" for kind in (*BASIC, "cancel", "duplicate", "credit")),
            "hub_room_topic_subscribe-twice",
            "hub_room_topic_subscribe-unknown",
        ]
    )


# Wrong applications


class ClosedRoomTopic(RoomTopic):
    """Allows nobody."""

    async def authorize(self, number: int, part: str) -> bool:
        """Refuse."""
        return False


class ClosedHub(Hub):
    """Has a room that no client may have."""

    topics: ClassVar[Any] = [ClosedRoomTopic]


def test_a_refused_subscription_says_what_to_give() -> None:
    text = failure("say-valid", consumer=ClosedHub, channel="closed_hub_closed_room_topic")
    assert "'subscribe' for 'room:5:a' was refused" in text
    assert "Give topic=... a name that this client may have." in text


def nameless(frame: JSONObject) -> list[JSONObject]:
    """Leave the topic out of answers."""
    is_meant = frame["action"] == "say"
    return [{key: value for key, value in frame.items() if key != "topic" or not is_meant}]


def of_another(frame: JSONObject) -> list[JSONObject]:
    """Name another topic in answers."""
    return [{**frame, "topic": "room:6:a"}] if frame["action"] == "say" else [frame]


def lenient(frame: JSONObject) -> list[JSONObject]:
    """Answer messages of clients that are not subscribed."""
    if "not_subscribed" not in str(frame["payload"]):
        return [frame]
    return [{**frame, "action": "say", "payload": "hi"}]


def other_reason(frame: JSONObject) -> list[JSONObject]:
    """Refuse with another reason."""
    if frame["action"] != "error" or not isinstance(frame["payload"], dict):
        return [frame]
    return [{**frame, "payload": {**frame["payload"], "reason": "other"}}]


def unconfirmed(action: str) -> Meddle:
    """Confirm nothing."""
    return lambda frame: [] if frame["action"] == action else [frame]


def once() -> Meddle:
    """Confirm the first request alone."""
    seen: list[str] = []

    def meddle(frame: JSONObject) -> list[JSONObject]:
        if frame["action"] != "subscribed":
            return [frame]
        seen.append(frame["action"])
        return [frame] if len(seen) == 1 else []

    return meddle


def late_event(frame: JSONObject) -> list[JSONObject]:
    """Send an event of the topic after its end."""
    event = {"action": "heard", "payload": "late", "version": 1, "topic": NAME}
    return [frame, event] if frame["action"] == "unsubscribed" else [frame]


def early_event(frame: JSONObject) -> list[JSONObject]:
    """Send an event of the topic before the confirmation."""
    event = {"action": "heard", "payload": "early", "version": 1, "topic": NAME}
    return [event, frame] if frame["action"] == "subscribed" else [frame]


def failing(frame: JSONObject) -> list[JSONObject]:
    """Send an error after the confirmation, as for an exception in on_subscribe()."""
    error = {key: value for key, value in frame.items() if key != "ref"}
    error |= {"action": "error", "payload": {"reason": "unavailable", "detail": "Failed"}}
    return [frame, error] if frame["action"] == "subscribed" else [frame]


def endless(frame: JSONObject) -> list[JSONObject]:
    """Leave out the end of a stream whose topic is given up."""
    return [] if frame["action"] == "error" and isinstance(frame["payload"], list) else [frame]


@pytest.mark.parametrize(
    ("meddle", "case", "rule"),
    [
        (nameless, "say-valid", "The answer to 'say' has no `topic` instead of 'room:5:a'"),
        (of_another, "say-valid", "has `topic` 'room:6:a' instead of 'room:5:a'"),
        (lenient, "say-unsubscribed", "one error with the reason `not_subscribed`"),
        (other_reason, "say-unsubscribed", "one error with the reason `not_subscribed`"),
        (
            other_reason,
            "hub_room_topic_subscribe-unknown",
            "'subscribe' for 'unknown:unknown:unknown:unknown' has to be answered by one error with the reason "
            "`unknown_topic`",
        ),
        (unconfirmed("unsubscribed"), "say-valid", "Nothing confirmed 'unsubscribe'"),
        (late_event, "say-valid", "came while the client was not subscribed to it"),
        (early_event, "say-valid", "came while the client was not subscribed to it"),
        (failing, "say-valid", "An error without a `ref` came after 'subscribe'"),
        (endless, "count-unsubscribed", "The stream that answers 'count' has no end"),
    ],
)
def test_a_wrong_topic_is_caught(meddle: Meddle, case: str, rule: str) -> None:
    """With the rule and the conversation."""
    text = failure(case, meddle)
    assert rule in text
    assert "\nsent: {" in text


@pytest.mark.parametrize("meddle", [unconfirmed("subscribed"), once()])
def test_a_missing_confirmation_is_caught(meddle: Meddle) -> None:
    """Of the first request, and of the second."""
    text = failure("subscribe-twice", meddle, channel="hub_news_topic", topic="news")
    assert "Nothing confirmed 'subscribe' for 'news'" in text


def test_names_that_cannot_be_are_errors() -> None:
    """When the test is made."""
    serve = application(Hub)
    with pytest.raises(ValueError, match=r"does not fit the pattern 'room:\{number\}:\{part\}'"):
        contract_tests(serve, "/ws", Hub, channel="hub_room_topic", topic="room:5")
    with pytest.raises(ValueError, match="The channel 'hub' is not that of a topic"):
        contract_tests(serve, "/ws", Hub, topic=NAME)
