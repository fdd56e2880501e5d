"""What is wrong with a document, one thing at a time."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from chanx.asyncapi import generate_document
from chanx.asyncapi.validation import validate_document

from .torture import OPTIONS, ROUTES

Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize("version", ["3.0.0", "3.1.0"])
def test_ours_are_valid(version: Any) -> None:
    document = generate_document(ROUTES, replace(OPTIONS, asyncapi_version=version))

    assert validate_document(document) == []


def messages(document: dict[str, Any]) -> Any:
    return document["components"]["messages"]


def schemas(document: dict[str, Any]) -> Any:
    return document["components"]["schemas"]


def set_host(host: str) -> Change:
    return lambda document: document["servers"]["production"].update(host=host)


def example_of_ping(payload: Any) -> Change:
    return lambda document: messages(document)["ping_message"].update(
        examples=[{"payload": payload}]
    )


CHANGES: dict[str, tuple[Change, str, str, str]] = {
    # Structure
    "unknown action": (
        lambda d: d["operations"]["handle_order"].update(action="fly"),
        "/operations/handle_order/action",
        "structure",
        "'fly' is not one of",
    ),
    "unknown key": (
        lambda d: d["channels"]["plain"].update(adress="/x"),
        "/channels/plain",
        "structure",
        "'adress'",
    ),
    "no title": (lambda d: d["info"].pop("title"), "/info", "structure", "'title' is a required"),
    "no host": (
        lambda d: d["servers"]["production"].pop("host"),
        "/servers/production",
        "structure",
        "'host' is a required",
    ),
    "bad type": (
        lambda d: schemas(d)["PingMessage"].update(type="objekt"),
        "/components/schemas/PingMessage/type",
        "structure",
        "'objekt' is not",
    ),
    "very long value": (
        lambda d: d["operations"]["handle_order"].update(action=999 * "fly"),
        "/operations/handle_order/action",
        "structure",
        "flyf....",
    ),
    # References
    "dangling schema": (
        lambda d: messages(d)["ping_message"].update(payload={"$ref": "#/components/schemas/No"}),
        "/components/messages/ping_message/payload",
        "reference",
        "leads nowhere",
    ),
    "dangling security": (
        lambda d: d["components"]["securitySchemes"].pop("query_token"),
        "/operations/check/security/0",
        "reference",
        "leads nowhere",
    ),
    "another document": (
        lambda d: messages(d)["ping_message"].update(payload={"$ref": "./other.json#/x"}),
        "/components/messages/ping_message/payload",
        "reference",
        "another document",
    ),
    "circle": (
        lambda d: schemas(d).update(
            A={"$ref": "#/components/schemas/B"}, B={"$ref": "#/components/schemas/A"}
        ),
        "/components/schemas/A",
        "cycle",
        "go in a circle",
    ),
    # Own rules
    "undeclared parameter": (
        lambda d: d["channels"]["orders_more"].pop("parameters"),
        "/channels/orders_more",
        "undeclared-parameter",
        "holds {shop}",
    ),
    "unused parameter": (
        lambda d: d["channels"]["plain"].update(parameters={"room": {}}),
        "/channels/plain/parameters/room",
        "unused-parameter",
        "'room' is not in the address",
    ),
    "illegal key": (
        lambda d: d["components"]["schemas"].update({"bad name!": {}}),
        "/components/schemas/bad name!",
        "illegal-key",
        "'bad name!'",
    ),
    "illegal key of a channel's message": (
        lambda d: d["channels"]["plain"]["messages"].update(
            {"a/b": {"$ref": "#/components/messages/ping_message"}}
        ),
        "/channels/plain/messages/a~1b",
        "illegal-key",
        "'a/b'",
    ),
    "scheme in a host": (
        set_host("ws://a.example"),
        "/servers/production/host",
        "server-host",
        "'protocol'",
    ),
    "path in a host": (
        set_host("a.example/ws"),
        "/servers/production/host",
        "server-host",
        "'pathname'",
    ),
    "foreign message": (
        lambda d: d["operations"]["check"].update(
            messages=[{"$ref": "#/channels/plain/messages/ping_message"}]
        ),
        "/operations/check/messages/0",
        "foreign-message",
        "not one of the channel",
    ),
    "unreachable component": (
        lambda d: messages(d).update(lonely={"payload": {}}),
        "/components/messages/lonely",
        "unreachable-message",
        "No channel has",
    ),
    "unreachable message of a channel": (
        lambda d: d["operations"].pop("orders_more_emits"),
        "/channels/orders_more/messages/second_message",
        "unreachable-message",
        "No operation",
    ),
    "example of a message": (
        example_of_ping({"action": "pong"}),
        "/components/messages/ping_message/examples/0/payload",
        "example",
        "'ping' was expected",
    ),
    "example of a schema": (
        lambda d: schemas(d)["Everything-Input"]["properties"]["day"].update(examples=[3]),
        "/components/schemas/Everything-Input/properties/day/examples/0",
        "example",
        "3 is not of type 'string'",
    ),
    "default of a schema": (
        lambda d: schemas(d)["Everything-Input"]["properties"]["pattern"].update(default="ABC"),
        "/components/schemas/Everything-Input/properties/pattern/default",
        "example",
        "does not match",
    ),
}


@pytest.mark.parametrize(("change", "place", "rule", "words"), CHANGES.values(), ids=CHANGES)
def test_one_thing_is_wrong(change: Change, place: str, rule: str, words: str) -> None:
    document = deepcopy(generate_document(ROUTES, OPTIONS))
    change(document)

    found = {
        problem.rule: problem for problem in validate_document(document) if problem.place == place
    }

    assert words in found[rule].message
    assert len(found[rule].message) < 300


def test_examples_that_fit_are_fine() -> None:
    document = generate_document(ROUTES, OPTIONS)
    example_of_ping({"action": "ping", "payload": None})(document)

    assert validate_document(document) == []


def test_whatever_looks_like_a_reference_in_data_is_data() -> None:
    document = generate_document(ROUTES, OPTIONS)
    schemas(document)["Node-Input"]["examples"] = [{"name": "$ref", "$ref": "#/nowhere"}]

    assert validate_document(document) == []


def test_a_reference_may_lead_into_a_list() -> None:
    document = generate_document(ROUTES, OPTIONS)
    schemas(document)["Listed"] = {"anyOf": [{"type": "string"}]}
    schemas(document)["Chosen"] = {"$ref": "#/components/schemas/Listed/anyOf/0"}
    assert validate_document(document) == []

    schemas(document)["Chosen"] = {"$ref": "#/components/schemas/Listed/anyOf/1"}
    (problem,) = validate_document(document)
    assert "leads nowhere" in problem.message


def test_extensions_may_have_any_keys() -> None:
    document = generate_document(ROUTES, OPTIONS)
    document["components"]["x-notes"] = {"any key!": {}}

    assert validate_document(document) == []


def test_an_operation_without_messages_uses_all_of_its_channel() -> None:
    document = generate_document(ROUTES, OPTIONS)
    del document["operations"]["orders_more_emits"]["messages"]

    assert validate_document(document) == []


def test_only_the_first_contradiction_of_an_example_is_named() -> None:
    document = generate_document(ROUTES, OPTIONS)
    example_of_ping({"action": 1, "payload": 2})(document)

    places = [problem.place for problem in validate_document(document)]

    assert places == ["/components/messages/ping_message/examples/0/payload"]


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match=r"only 3\.0\.0 and 3\.1\.0"):
        validate_document({"asyncapi": "2.6.0"})
