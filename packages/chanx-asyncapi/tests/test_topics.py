"""Topics: the channels that documents have for them, and which of their changes break clients."""

from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest

from chanx.asyncapi import ConsumerRoute, DocumentOptions, generate_document
from chanx.asyncapi.diff import compare_documents
from chanx.asyncapi.docs import docs_page
from chanx.asyncapi.validation import validate_document
from chanx.asyncapi.validation._structure import schema_validator
from chanx.core.decorators import channel, event_handler, ws_handler
from chanx.core.topic import Topic
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage


class Consumer(ChanxWebsocketConsumerMixin[Any]):
    """Of no framework."""


class Reply(BaseMessage):
    action: Literal["reply"] = "reply"
    payload: str


class NewReply(BaseMessage):
    action: Literal["new_reply"] = "new_reply"
    payload: str


class Approve(BaseMessage):
    action: Literal["approve"] = "approve"
    payload: None = None


class Approved(BaseMessage):
    action: Literal["approved"] = "approved"
    payload: bool


class DiscussionTopic(Topic[NewReply]):
    """Talk about one thing."""

    pattern = "discussion:{pk}"

    async def authorize(self, pk: int) -> bool:
        return True

    @ws_handler
    async def reply(self, message: Reply) -> PongMessage:
        return PongMessage()

    @event_handler
    async def new_reply(self, event: NewReply) -> NewReply:
        return event


class FeedTopic(Topic[NewReply]):
    """Everything that is new (or nearly so)."""

    pattern = "feed.(new)"
    requests = {Approve: Approved}  # noqa: RUF012 - the documented way to write it

    @ws_handler
    async def ask(self, message: PingMessage) -> AsyncIterator[NewReply]:
        yield NewReply(payload="")


class SilentHub(Consumer):
    """Has topics alone."""

    topics = (DiscussionTopic,)


class PingHub(Consumer):
    """Has a handler of its own."""

    topics = (DiscussionTopic, FeedTopic)

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


def document_of(*consumers: type[Consumer], **options: Any) -> dict[str, Any]:
    """Describe consumers; what is described must be valid."""
    routes = [ConsumerRoute(f"/ws/{i}", (), consumer) for i, consumer in enumerate(consumers)]
    document = generate_document(routes, DocumentOptions(server_url="a.example", **options))
    assert validate_document(document) == []
    return document


def hub_of(*topics: type[Topic[Any]]) -> type[Consumer]:
    """Return a consumer of one name with these topics."""
    return type("AnyHub", (Consumer,), {"topics": topics})


def messages_of(part: dict[str, Any]) -> list[str]:
    return [message["$ref"].rpartition("/")[2] for message in part["messages"]]


def is_valid(document: dict[str, Any], operation: str, **frame: Any) -> bool:
    """Hold a frame against the first message of an operation."""
    key = messages_of(document["operations"][operation])[0]
    payload = document["components"]["messages"][key]["payload"]
    validator = schema_validator({**payload, "components": document["components"]})
    return not list(validator.iter_errors(frame))


# Channels


@pytest.mark.parametrize("version", ["3.0.0", "3.1.0"])
def test_a_consumer_with_topics_alone_is_described_by_them(version: str) -> None:
    document = document_of(SilentHub, asyncapi_version=version)

    (described,) = document["channels"].values()
    assert document["channels"].keys() == {"silent_hub_discussion_topic"}
    assert [key for key in described if not key.startswith("x-close")] == [
        "address",
        "title",
        "description",
        "x-topic",
        "messages",
        "x-heartbeat-interval",
    ]
    assert described["address"] == "/ws/0"
    assert described["title"] == "silent_hub_discussion_topic"
    assert described["description"] == "Talk about one thing."
    assert described["x-topic"] == {
        "name": "discussion_topic",
        "pattern": "discussion:{pk}",
        "parameters": ["pk"],
        "schema": {"type": "object", "properties": {"pk": {"type": "integer"}}, "required": ["pk"]},
    }


def test_a_consumer_with_handlers_comes_before_its_topics() -> None:
    document = document_of(PingHub)

    assert list(document["channels"]) == [
        "ping_hub",
        "ping_hub_discussion_topic",
        "ping_hub_feed_topic",
    ]
    assert "x-topic" not in document["channels"]["ping_hub"]
    assert document["channels"]["ping_hub_feed_topic"]["x-topic"] == {
        "name": "feed_topic",
        "pattern": "feed.(new)",
        "parameters": [],
    }


def test_a_consumer_that_only_emits_is_described() -> None:
    class NewsHub(SilentHub):
        emits = (PongMessage,)

    assert list(document_of(NewsHub)["channels"]) == ["news_hub", "news_hub_discussion_topic"]


def test_a_topic_has_the_name_that_it_is_given() -> None:
    @channel(name="talk", tags=["forum"])
    class TalkTopic(DiscussionTopic):
        pattern = "talk:{pk}"

    described = document_of(hub_of(TalkTopic))["channels"]["talk"]

    assert described["title"] == "talk"
    assert described["tags"] == [{"name": "forum"}]


def test_a_default_topic_takes_frames_without_a_name() -> None:
    class DiscussionConsumer(Consumer):
        topics = (DiscussionTopic,)
        default_topic = DiscussionTopic

    document = document_of(SilentHub, DiscussionConsumer)

    assert list(document["channels"]) == ["silent_hub_discussion_topic", "discussion_topic"]
    hosted, default = "reply", "discussion_topic_reply"
    for operation in (hosted, default):
        assert is_valid(document, operation, action="reply", payload="", topic="discussion:5")
    assert not is_valid(document, hosted, action="reply", payload="")
    assert is_valid(document, default, action="reply", payload="")
    assert not is_valid(document, "discussion_topic_subscribe", action="subscribe")


# Operations


def test_a_topic_has_its_handlers_events_and_controls() -> None:
    operations = document_of(SilentHub)["operations"]

    assert list(operations) == [
        "reply",
        "new_reply",
        "subscribe",
        "unsubscribe",
        "silent_hub_discussion_topic_notices",
    ]
    assert operations["reply"]["reply"]["x-answers"] == {
        "mode": "one",
        "messages": ["pong"],
        "ends": ["complete", "error"],
    }
    subscribe = operations["subscribe"]
    assert subscribe["action"] == "receive"
    assert subscribe["x-control"] == "subscribe"
    assert messages_of(subscribe) == ["subscribe_control"]
    assert messages_of(subscribe["reply"]) == ["subscribed_message", "topic_error_message"]
    assert subscribe["reply"]["x-answers"] == {
        "mode": "one",
        "messages": ["subscribed"],
        "ends": ["error"],
    }
    unsubscribe = operations["unsubscribe"]
    assert messages_of(unsubscribe["reply"]) == ["unsubscribed_message", "topic_error_message"]


def test_streams_and_requests_of_a_topic_stay_its_own() -> None:
    operations = document_of(PingHub)["operations"]

    by_channel: dict[str, set[str]] = {}
    for name, operation in operations.items():
        key = operation["channel"]["$ref"].rpartition("/")[2]
        by_channel.setdefault(key, set()).add(name)
    assert by_channel["ping_hub"] == {"ping", "ping_hub_notices"}
    assert by_channel["ping_hub_feed_topic"] >= {"ask", "cancel", "more", "approve"}
    assert not by_channel["ping_hub_discussion_topic"] & {"cancel", "more"}
    assert messages_of(operations["approve"]["reply"]) == ["approved"]


def test_the_notices_of_the_connection_are_described_once() -> None:
    class SilentCompletingHub(SilentHub):
        send_completion = True

    alone = document_of(SilentHub)["operations"]["silent_hub_discussion_topic_notices"]
    hosted = document_of(PingHub)["operations"]["ping_hub_discussion_topic_notices"]
    completing = document_of(SilentCompletingHub)["operations"]

    assert "resync_message" in messages_of(alone)
    assert "resync_message" not in " ".join(messages_of(hosted))
    assert messages_of(completing["silent_completing_hub_discussion_topic_notices"])[-2:] == [
        "complete_message",
        "event_complete_message",
    ]


def test_control_actions_have_the_names_of_the_consumer() -> None:
    class RenamedHub(SilentHub):
        control_actions = {"subscribe": "join"}  # noqa: RUF012 - the documented way to write it

    document = document_of(RenamedHub)

    assert document["operations"]["join"]["x-control"] == "subscribe"
    assert "subscribe" not in document["operations"]
    assert is_valid(document, "join", action="join", topic="discussion:5", ref="1")


# Messages


def test_the_messages_of_a_topic_name_it() -> None:
    document = document_of(PingHub)

    def takes(operation: str, topic: Any, **frame: Any) -> bool:
        return is_valid(document, operation, topic=topic, **frame)

    assert takes("reply", "discussion:5", action="reply", payload="", version=1, ref="7")
    for wrong in ("discussion:", "discussion:5:6", "feed.(new)", 5, "discussion:" + "5" * 300):
        assert not takes("reply", wrong, action="reply", payload="")
    assert not is_valid(document, "reply", action="reply", payload="")
    assert takes("subscribe", "discussion:5", action="subscribe", ref="7")
    assert takes("new_reply", "discussion:5", action="new_reply", payload="", version=1, seq=0)
    assert not takes("new_reply", "discussion:5", action="new_reply", payload="", seq="1")


def test_a_pattern_is_an_expression_of_ecmascript() -> None:
    document = document_of(PingHub)

    schemas = document["components"]["schemas"]
    assert schemas["NewReply.feed_topic"]["properties"]["topic"]["pattern"] == r"^feed\.\(new\)$"
    assert is_valid(document, "ask", action="ping", topic="feed.(new)", window=3)
    assert not is_valid(document, "ask", action="ping", topic="feedx(new)")


def test_a_message_of_several_channels_has_a_schema_for_each() -> None:
    document = document_of(PingHub, SilentHub)

    assert is_valid(document, "ping", action="ping")
    assert not is_valid(document, "ask", action="ping")
    schemas = document["components"]["schemas"]
    assert "topic" not in schemas["PongMessage"]["properties"]
    # Two consumers with one topic share them.
    assert [name for name in schemas if name.startswith("PongMessage")] == [
        "PongMessage",
        "PongMessage.discussion_topic",
    ]


def test_topics_of_one_name_stay_apart() -> None:
    def another(pattern: str) -> type[Consumer]:
        class LocalTopic(Topic[NewReply]):
            emits = (NewReply,)

        return hub_of(type("LocalTopic", (LocalTopic,), {"pattern": pattern}))

    schemas = document_of(another("one"), another("two"), another("three"))["components"]["schemas"]

    patterns = {
        name: schema["properties"]["topic"]["pattern"]
        for name, schema in schemas.items()
        if name.startswith("NewReply")
    }
    assert patterns == {
        "NewReply": "^one$",
        "NewReply.local_topic": "^two$",
        "NewReply.local_topic.2": "^three$",
    }


def test_the_page_can_be_written() -> None:
    page = docs_page(document_of(PingHub))

    assert 'id="operation-subscribe"' in page


# Comparing


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[tuple[str, str, bool]]:
    return {(c.rule, c.direction, c.breaking) for c in compare_documents(before, after)}


def test_a_removed_topic_breaks_clients_and_a_new_one_does_not() -> None:
    less, more = (
        document_of(hub_of(DiscussionTopic)),
        document_of(hub_of(DiscussionTopic, FeedTopic)),
    )

    assert changed(more, less) == {("topic-removed", "both", True)}
    assert changed(less, more) == {("topic-added", "both", False)}
    (change,) = compare_documents(more, less)
    assert change.message == "The topic feed.(new) of /ws/0 is gone."


def test_another_pattern_breaks_clients() -> None:
    class PlainTopic(Topic[NewReply]):
        pattern = "plain:{pk}"
        emits = (NewReply,)

    class OtherTopic(PlainTopic):
        pattern = "other:{pk}"

    after = type("PlainTopic", (OtherTopic,), {})
    found = compare_documents(document_of(hub_of(PlainTopic)), document_of(hub_of(after)))

    assert ("topic-pattern", True) in {(change.rule, change.breaking) for change in found}
    assert not {change.rule for change in found} & {"topic-removed", "topic-added"}
    (change,) = (change for change in found if change.rule == "topic-pattern")
    assert (
        change.message
        == "The names of the topic 'plain_topic' of /ws/0 were plain:{pk} and are other:{pk}."
    )
    assert change.place == "/channels/any_hub_plain_topic/x-topic/pattern"


def test_a_parameter_that_takes_less_breaks_clients() -> None:
    class AnyTopic(Topic[NewReply]):
        emits = (NewReply,)

    class NumberTopic(AnyTopic):
        pattern = "number:{pk}"

        async def authorize(self, pk: int) -> bool:
            return True

    class TextTopic(AnyTopic):
        pattern = "number:{pk}"

        async def authorize(self, pk: str) -> bool:
            return True

    number = document_of(hub_of(NumberTopic))
    text = document_of(hub_of(type("NumberTopic", (TextTopic,), {"pattern": "number:{pk}"})))

    assert changed(text, number) == {("type-changed", "to-server", True)}
    assert changed(number, number) == set()


def test_changes_inside_of_a_topic_are_those_of_a_channel() -> None:
    gone = {"pattern": "discussion:{pk}", "new_reply": None}
    quiet = type("DiscussionTopic", (DiscussionTopic,), gone)
    before, after = document_of(hub_of(DiscussionTopic)), document_of(hub_of(quiet))

    assert changed(before, after) == {("message-removed", "to-client", True)}


def test_a_topic_becomes_a_stream_without_further_changes_of_its_errors() -> None:
    class BareTopic(Topic[NewReply]):
        pattern = "bare"
        emits = (NewReply,)

    class HandledTopic(BareTopic):
        pattern = "bare"

        @ws_handler
        async def reply(self, message: Reply) -> NewReply:
            return NewReply(payload="")

    handled = type("BareTopic", (HandledTopic,), {"pattern": "bare"})
    found = changed(document_of(hub_of(BareTopic)), document_of(hub_of(handled)))

    assert {change for change in found if change[2]} <= {("message-added", "to-client", True)}
    assert ("message-added", "to-server", False) in found
