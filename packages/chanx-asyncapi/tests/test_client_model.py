"""The model of a document's clients."""

from typing import Any

import pytest

from chanx.asyncapi import ConsumerRoute, DocumentOptions, generate_document
from chanx.asyncapi._client.model import Channel, ClientModel
from chanx.asyncapi._client.reading import read_client
from chanx.asyncapi.diff import compare_documents
from chanx.asyncapi.errors import InputError
from chanx.asyncapi.validation import validate_document
from chanx.core.decorators import ws_handler
from chanx.core.limits import Limits
from chanx.core.topic import Topic
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage

from .torture import OPTIONS, ROUTES, Token

# Neither is there where the tests of this package run alone.
pytest.importorskip("uvicorn", reason="there is no uvicorn")
pytest.importorskip("chanx.fast_channels", reason="there is no chanx-fastchannels")

from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer

from .streaming_app import AgentConsumer

AGENT = ConsumerRoute("/ws/{team}", (), AgentConsumer)


def read(*routes: ConsumerRoute) -> ClientModel:
    return read_client(generate_document(routes, DocumentOptions(server_url="wss://a.example/x")))


def only_channel(model: ClientModel) -> Channel:
    (channel,) = model.channels
    return channel


class RenamedConsumer(AgentConsumer):
    control_actions = {"cancel": "stop"}  # noqa: RUF012 - the documented way to write it


def test_operations_have_their_answers() -> None:
    channel = only_channel(read(AGENT))
    operations = {operation.message.actions[0]: operation for operation in channel.operations}
    count, report, release = operations["count"], operations["report"], operations["release"]
    assert (count.mode, count.window, count.is_cancellable) == ("stream", 32, True)
    assert [item.title for item in count.items] == ["ItemMessage"]
    assert count.ends == ("complete", "error")
    assert [reply.actions[0] for reply in count.replies] == ["item", "error", "complete"]
    assert (report.mode, report.window, report.is_cancellable) == ("one", None, True)
    assert (release.mode, release.items) == ("none", ())


def test_a_channel_has_address_controls_and_requests() -> None:
    model = read(AGENT)
    channel = only_channel(model)
    assert model.servers == ("wss://a.example/x",)
    assert (channel.key, channel.address, channel.parameters) == ("agent", "/ws/{team}", ("team",))
    assert channel.controls == {"cancel": "cancel", "more": "more"}
    (request,) = channel.requests
    assert request.message.title == "ApproveMessage"
    assert [answer.title for answer in request.answers] == ["ApprovedMessage"]
    assert "approved" in [message.actions[0] for message in channel.sent]
    assert "cancel" not in [message.actions[0] for message in channel.sent]
    assert "approve" in [message.actions[0] for message in channel.received]


def test_renamed_controls_keep_their_meaning() -> None:
    channel = only_channel(read(ConsumerRoute("/ws", (), RenamedConsumer)))
    assert channel.controls == {"cancel": "stop", "more": "more"}


def test_schemas_have_no_envelope() -> None:
    model = read(AGENT)
    for message in (*only_channel(model).sent, *only_channel(model).received):
        assert not {"ref", "version", "window", "seq"} & set(message.schema["properties"])
        assert message.schema_name is not None
        assert model.schemas[message.schema_name] == message.schema


def test_every_message_of_the_torture_application_is_read() -> None:
    document = generate_document(ROUTES, OPTIONS)
    model = read_client(document)
    described = document["channels"]
    topics = {key for key, channel in described.items() if "x-topic" in channel}
    assert {topic.key for channel in model.channels for topic in channel.topics} == topics
    assert described.keys() - topics <= {channel.key for channel in model.channels}
    for channel in model.channels:
        if (
            channel.key in described.keys() - topics
        ):  # others stand for a host that has topics alone
            keys = {message.key for message in (*channel.sent, *channel.received)}
            assert keys == set(described[channel.key]["messages"])
    fields = {channel.address: channel.discriminator for channel in model.channels}
    assert fields["/ws/spelled"] == "type"
    assert fields["/ws/camel/{userName}"] == "kind"
    everything = next(one for one in model.channels if one.address == "/ws/everything")
    modes = {one.name: one.mode for one in everything.operations}
    assert modes["everything_handle_everything"] == "many"


def test_the_handshake_is_read() -> None:
    orders = next(one for one in read_client(generate_document(ROUTES)).channels)
    places = {value.name: value.location for value in orders.handshake}
    assert places == {"token": "query", "X-Api-Key": "header"}


def topic_document() -> dict[str, Any]:
    """Return a document with a topic, as the generator of documents writes it."""
    event = {
        "type": "object",
        "properties": {
            "action": {"const": "created", "type": "string"},
            "payload": {"type": "integer"},
            "topic": {"type": "string", "maxLength": 256, "pattern": "^room:[^:]+$"},
            "seq": {"type": "integer", "description": "An offset"},
        },
        "required": ["action", "payload", "topic"],
    }
    subscribe = {
        "type": "object",
        "properties": {"action": {"const": "join", "type": "string"}},
        "required": ["action"],
    }
    pointed = {"$ref": "#/channels/hub_room"}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Hub", "version": "1"},
        "channels": {
            "hub": {"address": "/hub", "messages": {}},
            "hub_room": {
                "address": "/hub",
                "x-topic": {"name": "room", "pattern": "room:{name}", "parameters": ["name"]},
                "messages": {
                    "created": {"$ref": "#/components/messages/created"},
                    "join": {"$ref": "#/components/messages/join"},
                },
            },
        },
        "operations": {
            "created": {
                "action": "send",
                "channel": pointed,
                "messages": [{"$ref": "#/channels/hub_room/messages/created"}],
            },
            "join": {
                "action": "receive",
                "channel": pointed,
                "x-control": "subscribe",
                "messages": [{"$ref": "#/channels/hub_room/messages/join"}],
            },
        },
        "components": {
            "messages": {
                "created": {"name": "created", "payload": {"$ref": "#/components/schemas/C"}},
                "join": {"name": "join", "payload": {"$ref": "#/components/schemas/J"}},
            },
            "schemas": {"C": event, "J": subscribe},
        },
    }


def test_topics_belong_to_the_channel_of_their_address() -> None:
    channel = only_channel(read_client(topic_document()))
    (topic,) = channel.topics
    assert (topic.name, topic.pattern, topic.parameters) == ("room", "room:{name}", ("name",))
    assert channel.controls == {"subscribe": "join"}
    (event,) = topic.pushed
    assert list(event.schema["properties"]) == ["action", "payload"]
    assert event.schema["required"] == ["action", "payload"]


class PlaceTopic(Topic[PingMessage]):
    pattern = "place:{name}"

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


class PlacesConsumer(AgentConsumer):
    topics = [PlaceTopic]  # noqa: RUF012 - the documented way to write it


class OnlyTopicsConsumer(AsyncJsonWebsocketConsumer):
    topics = [PlaceTopic]  # noqa: RUF012 - the documented way to write it


@pytest.mark.parametrize("consumer", [PlacesConsumer, OnlyTopicsConsumer])
def test_topics_of_a_consumer_are_found(consumer: type[AsyncJsonWebsocketConsumer]) -> None:
    channel = only_channel(read(ConsumerRoute("/hub", (), consumer)))
    (topic,) = channel.topics
    assert channel.key == consumer.spec.snake_name
    assert (topic.pattern, topic.parameters) == ("place:{name}", ("name",))
    assert {"subscribe": "subscribe", "unsubscribe": "unsubscribe"}.items() <= (
        channel.controls.items()
    )
    (ping,) = topic.operations
    assert (ping.mode, [item.title for item in ping.items]) == ("one", ["PongMessage"])
    assert "topic" not in ping.message.schema["properties"]
    assert channel.close_codes
    assert channel.heartbeat_interval == 25


def codes_of(consumer: type[AsyncJsonWebsocketConsumer]) -> dict[int, str]:
    channel = only_channel(read(ConsumerRoute("/ws", (), consumer)))
    return {one.code: one.retry for one in channel.close_codes}


class OpenConsumer(AgentConsumer):
    limits = Limits(max_message_bytes=None, send_timeout=None, outbound_policy="drop_oldest")


class GuardedConsumer(AgentConsumer):
    authenticator_class = Token


def test_close_codes_are_those_that_the_class_can_send() -> None:
    always = {1000, 1001, 1011, 1012, 1013, 4001, 4011, 4012, 4013}
    assert codes_of(OpenConsumer).keys() == always
    assert codes_of(AgentConsumer).keys() == always | {1009, 4009, 4008}
    guarded = codes_of(GuardedConsumer)
    assert guarded[4401] == "after_refresh"
    assert (guarded[1012], guarded[4012], guarded[4500]) == ("again", "again", "backoff")


def test_close_codes_are_validated_and_break_nothing() -> None:
    old = generate_document([AGENT])
    new = generate_document([ConsumerRoute("/ws/{team}", (), OpenConsumer)])
    new["channels"] = {"agent": next(iter(new["channels"].values()))}
    assert compare_documents(old, old | {"channels": new["channels"]}) == []
    assert validate_document(old) == []
    old["channels"]["agent"]["x-close-codes"]["1012"]["retry"] = "maybe"
    old["channels"]["agent"]["x-close-codes"]["99"] = {"retry": "stop"}
    places = [problem.place for problem in validate_document(old)]
    assert places == ["/channels/agent/x-close-codes/1012", "/channels/agent/x-close-codes/99"]


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (("channels", "hub_room", "x-topic"), {"name": "x"}, "/channels/hub_room/x-topic"),
        (("operations", "join", "channel"), {"$ref": "#/channels"}, "/operations/join"),
        (("channels", "hub", "x-close-codes"), {"a": {}}, "/channels/hub/x-close-codes/a"),
        (("operations", "join", "messages"), [{"$ref": "#/no"}], "/operations/join/messages/0"),
    ],
)
def test_errors_name_the_place(path: tuple[str, ...], value: Any, error: str) -> None:
    document = topic_document()
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(InputError, match=error):
        read_client(document)
