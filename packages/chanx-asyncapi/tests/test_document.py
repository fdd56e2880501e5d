"""The document of an application that has one of everything."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel

from chanx.asyncapi import (
    ConsumerRoute,
    DocumentOptions,
    generate_document,
    to_json_text,
    to_yaml_text,
)
from chanx.asyncapi.draft7 import to_draft7
from chanx.asyncapi.shapes import is_list, is_object
from chanx.core.decorators import channel, event_handler, ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import ErrorMessage, PongMessage

from .torture import OPTIONS, ROUTES, Consumer, OrderConsumer, OrderMessage, Token

TORTURE = Path(__file__).with_name("torture.py")


@pytest.fixture
def document() -> dict[str, Any]:
    return generate_document(ROUTES, OPTIONS)


def payload_of(document: dict[str, Any], channel: str, message: str) -> dict[str, Any]:
    reference = document["channels"][channel]["messages"][message]
    schema: dict[str, Any] = at(document, at(document, reference)["payload"])
    return schema


def at(document: dict[str, Any], reference: dict[str, str]) -> Any:
    found: Any = document
    for part in reference["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(node: Any) -> Iterator[dict[str, str]]:
    if is_object(node):
        if isinstance(node.get("$ref"), str):
            yield node
        for value in node.values():
            yield from references(value)
    elif is_list(node):
        for value in node:
            yield from references(value)


def message_keys(operation: dict[str, Any]) -> list[str]:
    return [message["$ref"].rpartition("/")[2] for message in operation["messages"]]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = list(references(document))

    assert len(found) > 100
    assert all(at(document, reference) is not None for reference in found)
    assert all(reference.keys() == {"$ref"} for reference in found)


def test_nothing_is_described_that_no_route_uses() -> None:
    document = generate_document(ROUTES[3:4])

    assert set(document["components"]["messages"]) == {
        "ping_message",
        "error_message",
        "complete_message",
        "resync_message",
    }
    assert set(document["components"]["schemas"]) == {
        "PingMessage",
        "ErrorMessage",
        "CompleteMessage",
        "ResyncMessage",
    }
    assert "securitySchemes" not in document["components"]


def test_no_routes_are_a_document_too() -> None:
    document = generate_document([])

    assert document["channels"] == {}
    assert document["operations"] == {}


@pytest.mark.parametrize("text", [to_json_text, to_yaml_text])
def test_the_same_bytes_under_any_hash_seed(text: Any) -> None:
    def written(seed: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, str(TORTURE), text.__name__]
        return subprocess.run(command, env=environment, check=True, capture_output=True).stdout

    first = written("1")
    assert len(first) > 1000
    assert first == written("2") == written("3")


def test_json_and_yaml_say_the_same(document: dict[str, Any]) -> None:
    text = to_yaml_text(document)

    assert json.loads(to_json_text(document)) == document
    assert yaml.safe_load(text) == document
    assert "&id" not in text


def test_a_document_is_its_callers_own() -> None:
    changed = generate_document(ROUTES, OPTIONS)
    changed["components"]["schemas"].clear()

    assert generate_document(ROUTES, OPTIONS)["components"]["schemas"]


def test_options_of_a_consumer_are_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    before = generate_document(ROUTES[3:4])
    monkeypatch.setattr(ROUTES[3].consumer, "send_completion", True)
    after = generate_document(ROUTES[3:4])
    monkeypatch.setattr(ROUTES[3].consumer, "authenticator_class", Token)
    secured = generate_document(ROUTES[3:4])

    assert "securitySchemes" not in after["components"]
    assert "query_token" in secured["components"]["securitySchemes"]
    assert "authentication_message" in secured["components"]["messages"]
    assert "group_complete_message" not in before["components"]["messages"]
    assert "group_complete_message" in after["components"]["messages"]


def test_one_consumer_on_two_routes_is_two_channels(document: dict[str, Any]) -> None:
    first, second = list(document["channels"].items())[:2]

    assert (first[0], first[1]["address"]) == ("orders_more", "/ws/orders/{shop}")
    assert (second[0], second[1]["address"]) == (
        "orders_more_ws_old_shop_year",
        "/ws/old/{shop}/{year}",
    )
    assert "check" in document["operations"]
    operation = document["operations"]["orders_more_ws_old_shop_year_check"]
    assert operation["channel"] == {"$ref": "#/channels/orders_more_ws_old_shop_year"}


def test_many_consumers_of_one_name_are_numbered() -> None:
    consumers = [type("OneConsumer", (Consumer,), {}) for _ in range(4)]
    routes = [ConsumerRoute("/same", (), consumer) for consumer in consumers]

    channels = generate_document(routes, OPTIONS)["channels"]

    assert len(channels) == 4
    assert set(channels) == {"one", "one_same", "one_same_2", "one_same_3"}


def test_heartbeats_are_in_it_where_they_are_sent() -> None:
    class Beating(Consumer):
        send_heartbeat = True

    (channel,) = generate_document([ConsumerRoute("/ws", (), Beating)])["channels"].values()

    assert "heartbeat_message" in channel["messages"]


def test_tuples_and_odd_examples_keep_to_draft_7() -> None:
    written = to_draft7(
        {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}, "examples": "no list"}
    )

    assert written == {
        "items": [{"type": "integer"}],
        "additionalItems": {"type": "string"},
        "examples": "no list",
    }


def test_consumers_of_one_name_stay_apart(document: dict[str, Any]) -> None:
    assert document["channels"]["plain"]["description"] == "One."
    assert document["channels"]["plain_ws_two"]["description"] == "Two."


def test_a_channel_says_what_its_consumer_does(document: dict[str, Any]) -> None:
    found = document["channels"]["orders_more"]

    assert found["title"] == "orders & more"
    assert found["description"] == "Orders"
    assert found["tags"] == [{"name": "shop"}]
    assert document["channels"]["spelled"]["description"] == "Spells in its own way."


def test_parameters_are_those_of_the_address(document: dict[str, Any]) -> None:
    first, second = list(document["channels"].values())[:2]

    assert first["parameters"] == {"shop": {"description": "Path parameter for shop (int)"}}
    assert list(second["parameters"]) == ["shop", "year"]
    assert "parameters" not in document["channels"]["plain"]


def test_a_client_message_and_everything_that_may_answer_it(document: dict[str, Any]) -> None:
    operation = document["operations"]["handle_order"]

    assert operation["action"] == "receive"
    assert operation["summary"] == "Order"
    assert operation["description"] == "Takes an order"
    assert operation["tags"] == [{"name": "write"}]
    assert message_keys(operation) == ["order_message"]
    assert message_keys(operation["reply"]) == [
        "orders_message",
        "error_message",
        "complete_message",
    ]


def test_events_show_what_they_send_and_not_what_they_are_sent(document: dict[str, Any]) -> None:
    operations = document["operations"]

    assert operations["on_ping"]["action"] == "send"
    assert message_keys(operations["on_ping"]) == ["pong_message"]
    assert message_keys(operations["on_silence"]) == []
    assert message_keys(operations["handle_passthrough_first_message"]) == ["first_message"]


def test_what_comes_unasked_is_in_it(document: dict[str, Any]) -> None:
    operations = document["operations"]

    assert message_keys(operations["orders_more_emits"]) == ["second_message"]
    assert message_keys(operations["orders_more_notices"]) == [
        "authentication_message",
        "error_message",
        "resync_message",
    ]
    assert [
        key.partition("_message")[0] for key in message_keys(operations["spelled_notices"])
    ] == [
        "error",
        "resync",
        "complete",
        "group_complete",
    ]


def test_event_completions_are_in_it_where_they_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OrderConsumer, "send_completion", True, raising=False)
    monkeypatch.setattr(OrderConsumer, "send_authentication_message", False, raising=False)
    notices = generate_document(ROUTES[:1])["operations"]["orders_more_notices"]

    assert message_keys(notices) == [
        "error_message",
        "resync_message",
        "complete_message",
        "group_complete_message",
        "event_complete_message",
    ]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("send_resync_message", False),
        ("layer_loss_policy", "close"),
        ("channel_layer_alias", None),
    ],
)
def test_clients_are_told_of_losses_where_the_consumer_tells_them(
    option: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OrderConsumer, option, value, raising=False)
    notices = generate_document(ROUTES[:1])["operations"]["orders_more_notices"]

    assert message_keys(notices) == ["authentication_message", "error_message"]


def test_credentials_are_bindings_and_security_schemes(document: dict[str, Any]) -> None:
    binding = document["channels"]["orders_more"]["bindings"]["ws"]

    assert binding["query"]["properties"] == {
        "token": {"type": "string", "description": "A JSON Web Token"}
    }
    assert list(binding["headers"]["properties"]) == ["X-Api-Key"]
    assert list(document["components"]["securitySchemes"]) == [
        "cookie_session",
        "header_x_api_key",
        "query_token",
    ]
    assert document["operations"]["check"]["security"][0] == {
        "$ref": "#/components/securitySchemes/query_token"
    }
    assert "bindings" not in document["channels"]["plain"]


def test_own_security_schemes_win() -> None:
    scheme = {"type": "httpApiKey", "name": "t", "in": "query"}
    options = DocumentOptions(security_schemes={"query_token": scheme, "own": scheme})
    schemes = generate_document(ROUTES, options)["components"]["securitySchemes"]

    assert schemes["query_token"] == schemes["own"] == scheme
    assert "header_x_api_key" in schemes


def test_nested_models_of_one_name_stay_apart(document: dict[str, Any]) -> None:
    first = payload_of(document, "orders_more", "first_message")["properties"]["payload"]
    second = payload_of(document, "orders_more", "second_message")["properties"]["payload"]

    assert at(document, first["items"])["properties"] == {"value": {"type": "integer"}}
    assert at(document, second["items"])["properties"] == {"value": {"type": "string"}}


def test_received_and_sent_are_described_as_they_travel(document: dict[str, Any]) -> None:
    received = at(
        document, payload_of(document, "orders_more", "order_message")["properties"]["payload"]
    )
    page = at(
        document, payload_of(document, "orders_more", "orders_message")["properties"]["payload"]
    )
    sent = at(document, page["properties"]["items"]["items"])

    assert "articleName" in received["properties"]
    assert "total" not in received["properties"]
    assert received["required"] == ["articleName", "pets", "node"]
    # Written by the name of the field, with its defaults and what is computed.
    assert "article" in sent["properties"]
    assert set(sent["required"]) == set(sent["properties"])


def test_schemas_keep_to_draft_7(document: dict[str, Any]) -> None:
    received = at(
        document, payload_of(document, "orders_more", "order_message")["properties"]["payload"]
    )
    properties = received["properties"]

    assert properties["size"]["items"] == [{"type": "integer"}, {"type": "string"}]
    assert properties["node"]["description"] == "The root"
    assert at(document, properties["node"]["allOf"][0])["title"] == "Node"
    assert properties["pets"]["items"]["discriminator"] == "kind"
    assert properties["labels"]["default"] == ["alpha", "mid", "zeta"]
    assert "default" not in properties["limit"]
    assert "prefixItems" not in to_json_text(document)


def test_a_model_may_hold_itself(document: dict[str, Any]) -> None:
    node = document["components"]["schemas"]["Node-Input"]

    assert node["properties"]["children"]["items"] == {"$ref": "#/components/schemas/Node-Input"}


def test_clients_must_write_the_action(document: dict[str, Any]) -> None:
    message = payload_of(document, "orders_more", "ping_message")

    assert message["required"] == ["action"]
    assert payload_of(document, "orders_more", "order_message")["properties"]["action"]["enum"] == [
        "order",
        "reorder",
    ]


def test_names_are_spelled_as_the_consumer_spells_them(document: dict[str, Any]) -> None:
    (key,) = (key for key in document["channels"]["spelled"]["messages"] if "order" in key)
    message = payload_of(document, "spelled", key)
    plain = payload_of(document, "orders_more", "order_message")

    assert list(message["properties"]) == ["type", "payload", "ref", "version"]
    assert message["required"] == ["type", "payload"]
    assert "action" in plain["properties"]


def test_camel_case_can_be_asked_for() -> None:
    document = generate_document(ROUTES[:1], DocumentOptions(camelize=True))

    assert "isCurrent" in document["components"]["schemas"]["PongMessage"]["properties"]


def test_references_correlate_messages_and_answers(document: dict[str, Any]) -> None:
    messages = document["components"]["messages"]
    correlation = {"$ref": "#/components/correlationIds/ref"}

    assert messages["order_message"]["correlationId"] == correlation
    assert messages["error_message"]["correlationId"] == correlation
    assert "correlationId" not in messages["authentication_message"]
    assert document["components"]["correlationIds"]["ref"]["location"] == "$message.payload#/ref"


def test_group_messages_show_who_sent_them(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert schemas["PongMessage"]["properties"]["is_current"]["type"] == "boolean"
    assert "is_current" not in schemas["ErrorMessage"]["properties"]
    assert "is_current" not in schemas["PingMessage"]["properties"]


class AskedConsumer(ChanxWebsocketConsumerMixin[Any]):
    """Answers its own client; no channel layer is registered."""

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


class GetGroupsConsumer(AskedConsumer):
    async def get_groups(self) -> list[str]:
        return ["lobby"]


def some_layer(alias: str | None) -> object:
    return object()


LAYER = {"get_channel_layer": staticmethod(some_layer)}


@pytest.mark.parametrize(
    ("base", "attributes", "expected"),
    [
        (AskedConsumer, {}, False),
        (AskedConsumer, LAYER, True),
        (AskedConsumer, {"channel_layer_alias": "registered later"}, True),
        (AskedConsumer, {"groups": ["lobby"]}, True),
        (AskedConsumer, {"extra_groups": ["lobby"]}, True),
        (GetGroupsConsumer, {}, True),
        (GetGroupsConsumer, {**LAYER, "channel_layer_alias": None, "groups": ["lobby"]}, False),
        (AskedConsumer, {**LAYER, "group_message_metadata": False}, False),
    ],
)
def test_only_consumers_with_group_messages_show_who_sent_them(
    base: type[AskedConsumer], attributes: dict[str, Any], expected: bool
) -> None:
    """Without a channel layer, an answer comes from nobody but the server."""
    consumer = type("AskedConsumer", (base,), attributes)
    document = generate_document([ConsumerRoute("/ws", (), consumer)])

    shown = "is_current" in document["components"]["schemas"]["PongMessage"]["properties"]
    assert shown is expected


def test_a_messages_own_field_wins_over_the_envelope() -> None:
    class NumberedMessage(BaseMessage):
        action: Literal["numbered"] = "numbered"
        payload: None = None
        ref: int

    class NumberedConsumer(Consumer):
        @ws_handler
        async def handle(self, message: NumberedMessage) -> None: ...

    document = generate_document([ConsumerRoute("/ws", (), NumberedConsumer)])
    message = document["components"]["messages"]["numbered_message"]

    assert at(document, message["payload"])["properties"]["ref"] == {"type": "integer"}
    assert "correlationId" not in message


def test_a_field_that_json_schema_cannot_describe_is_anything() -> None:
    class Odd(BaseModel):
        model_config = {"arbitrary_types_allowed": True}
        thing: SimpleNamespace

    class OddMessage(BaseMessage):
        action: Literal["odd"] = "odd"
        payload: Odd

    class OddConsumer(Consumer):
        @ws_handler(output_type=[ErrorMessage])
        async def handle(self, message: OddMessage) -> None: ...

    document = generate_document([ConsumerRoute("/ws", (), OddConsumer)])

    assert document["components"]["schemas"]["Odd"]["properties"]["thing"] == {}
    assert message_keys(document["operations"]["handle"]["reply"]) == [
        "error_message",
        "complete_message",
    ]


@pytest.mark.parametrize(
    ("options", "server"),
    [
        ({}, {"development": {"host": "localhost:8000", "protocol": "ws"}}),
        ({"server_url": "a.example"}, {"production": {"host": "a.example", "protocol": "ws"}}),
        (
            {"server_url": "https://a.example:8443/base/"},
            {"production": {"host": "a.example:8443", "protocol": "wss", "pathname": "/base"}},
        ),
        (
            {"server_url": "ws://[::1]:80", "server_protocol": "wss"},
            {"development": {"host": "[::1]:80", "protocol": "wss"}},
        ),
        ({"server_url": "[bad"}, {"production": {"host": "[bad", "protocol": "ws"}}),
        (
            {"servers": {"own": {"host": "b.example", "protocol": "wss"}}, "server_url": "x"},
            {"own": {"host": "b.example", "protocol": "wss"}},
        ),
    ],
)
def test_servers(options: dict[str, Any], server: dict[str, Any]) -> None:
    assert generate_document([], DocumentOptions(**options))["servers"] == server


def test_the_head_of_a_document(document: dict[str, Any]) -> None:
    assert document["asyncapi"] == "3.0.0"
    assert document["info"] == {
        "title": "Torture",
        "version": "1.0.0",
        "description": "One of everything",
    }
    newer = generate_document([], DocumentOptions(asyncapi_version="3.1.0"))
    assert newer["asyncapi"] == "3.1.0"
    assert newer["info"] == {"title": "AsyncAPI Documentation", "version": "1.0.0"}


def test_an_event_handler_says_what_it_is_given_and_sends() -> None:
    class TellingConsumer(Consumer):
        @event_handler(
            input_type=OrderMessage,
            output_type=[PongMessage, ErrorMessage],
            description="When a worker is done",
            summary="Done",
            tags=["jobs"],
        )
        async def on_done(self, event: Any) -> None: ...

    document = generate_document([ConsumerRoute("/ws", (), TellingConsumer)])
    operation = document["operations"]["on_done"]

    assert operation["description"] == "When a worker is done"
    assert operation["summary"] == "Done"
    assert operation["tags"] == [{"name": "jobs"}]
    assert message_keys(operation) == ["pong_message", "error_message"]
    assert TellingConsumer.spec.incoming_events == (OrderMessage,)


def test_a_description_that_is_given_wins_over_the_docstring() -> None:
    @channel(description="Given")
    class DescribedConsumer(Consumer):
        """Written."""

    document = generate_document([ConsumerRoute("/ws", (), DescribedConsumer)])

    assert document["channels"]["described"]["description"] == "Given"


class Leaf(BaseModel):
    width: int


class Branch(BaseModel):
    leaf: Leaf
    below: list["Branch"]


class GrowMessage(BaseMessage):
    """Equal in both directions: the action is written by both sides."""

    action: Literal["grow"] = "grow"
    payload: Branch


class Pot(BaseModel):
    size: int = 1  # may be left out by clients, and never is by the server


class PotMessage(BaseMessage):
    action: Literal["pot"] = "pot"
    payload: Pot


class GardenConsumer(Consumer):
    group_message_metadata = False  # `is_current` is in what is sent only

    @ws_handler
    async def handle_grow(self, message: GrowMessage) -> GrowMessage:
        return message

    @ws_handler
    async def handle_pot(self, message: PotMessage) -> PotMessage:
        return message


def test_schemas_that_are_equal_in_both_directions_appear_once() -> None:
    document = generate_document([ConsumerRoute("/garden", (), GardenConsumer)])
    schemas = document["components"]["schemas"]

    garden = {name for name in schemas if name.startswith(("Leaf", "Branch", "Grow", "Pot"))}
    assert garden == {
        *("Leaf", "Branch", "GrowMessage"),
        *("Pot-Input", "Pot-Output", "PotMessage-Input", "PotMessage-Output"),
    }
    assert schemas["GrowMessage"]["properties"]["payload"] == {
        "$ref": "#/components/schemas/Branch"
    }
    assert schemas["GrowMessage"]["required"] == ["action", "payload"]
    assert document["components"]["messages"]["grow_message"]["payload"] == {
        "$ref": "#/components/schemas/GrowMessage"
    }
