"""Each rule of the comparison, in both directions."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from chanx.asyncapi import generate_document
from chanx.asyncapi.diff import Change, compare_documents
from chanx.asyncapi.validation import validate_document

from .torture import OPTIONS, ROUTES

Schema = dict[str, Any]


def document_of(*, received: Schema, sent: Schema) -> dict[str, Any]:
    """A document of one channel, with one message in each direction; the schemas are of a field `x`."""

    def message(name: str, schema: Schema) -> Schema:
        properties = {"action": {"const": name}, "x": schema}
        return {"payload": {"type": "object", "properties": properties, "required": ["action"]}}

    def reference(name: str) -> Schema:
        return {"$ref": f"#/channels/c/messages/{name}"}

    return {
        "asyncapi": "3.0.0",
        "info": {"title": "T", "version": "1"},
        "servers": {"main": {"host": "a.example", "protocol": "wss"}},
        "channels": {
            "c": {
                "address": "/ws",
                "messages": {"in": message("in", received), "out": message("out", sent)},
            }
        },
        "operations": {
            "receive": {
                "action": "receive",
                "channel": {"$ref": "#/channels/c"},
                "messages": [reference("in")],
            },
            "send": {
                "action": "send",
                "channel": {"$ref": "#/channels/c"},
                "messages": [reference("out")],
            },
        },
    }


class Row(NamedTuple):
    """A field `x` before and after; whether that breaks what clients write, and what they read."""

    before: Schema
    after: Schema
    rule: str
    breaks_writing: bool
    breaks_reading: bool
    words: str


def obj(required: list[str] | None = None, **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


STR, INT, NUM, NULL = ({"type": t} for t in ("string", "integer", "number", "null"))
CAT = {"title": "Cat", **obj(kind={"const": "cat"})}
DOG = {"title": "Dog", **obj(kind={"const": "dog"})}

ROWS = {
    "type narrowed": Row(NUM, INT, "type-narrowed", True, False, "was number and is integer"),
    "type widened": Row(INT, NUM, "type-widened", False, True, "was integer and is number"),
    "type changed": Row(INT, STR, "type-changed", True, True, "was integer and is string"),
    "type added": Row({}, STR, "type-narrowed", True, False, "was anything and is string"),
    "type removed": Row(STR, {}, "type-widened", False, True, "was string and is anything"),
    "null allowed": Row(
        STR, {"anyOf": [STR, NULL]}, "choice-added", False, True, "can now be null too"
    ),
    "null refused": Row(
        {"anyOf": [STR, NULL]}, STR, "choice-removed", True, False, "no longer be null"
    ),
    "items of a type": Row(
        {"type": "array", "items": True},
        {"type": "array", "items": STR},
        "type-narrowed",
        True,
        False,
        "was anything and is string",
    ),
    "null by type": Row(
        STR, {"type": ["string", "null"]}, "type-widened", False, True, "null or string"
    ),
    "enum narrowed": Row(
        {"enum": ["a", "b"]}, {"enum": ["a"]}, "enum-narrowed", True, False, 'no longer be "b"'
    ),
    "enum widened": Row(
        {"enum": ["a"]}, {"enum": ["a", "b"]}, "enum-widened", False, True, 'now be "b" too'
    ),
    "enum added": Row(STR, {**STR, "enum": ["a"]}, "enum-added", True, False, 'only be "a"'),
    "enum removed": Row(
        {**STR, "enum": ["a"]}, STR, "enum-removed", False, True, "no longer limited"
    ),
    "constant changed, gone": Row(
        {"const": 1}, {"const": 2}, "enum-narrowed", True, False, "no longer be 1"
    ),
    "constant changed, new": Row(
        {"const": 1}, {"const": 2}, "enum-widened", False, True, "now be 2"
    ),
    "minimum raised": Row(
        {**INT, "minimum": 1}, {**INT, "minimum": 2}, "limit", True, False, "was 1 and is 2"
    ),
    "minimum lowered": Row(
        {**INT, "minimum": 2}, {**INT, "minimum": 1}, "limit", False, True, "was 2 and is 1"
    ),
    "maximum added": Row(
        STR, {**STR, "maxLength": 9}, "limit", True, False, "was not set and is 9"
    ),
    "maximum removed": Row(
        {**STR, "maxLength": 9}, STR, "limit", False, True, "was 9 and is not set"
    ),
    "unique": Row(
        {"type": "array"},
        {"type": "array", "uniqueItems": True},
        "limit",
        True,
        False,
        "must differ",
    ),
    "no longer unique": Row(
        {"type": "array", "uniqueItems": True},
        {"type": "array"},
        "limit",
        False,
        True,
        "need not differ",
    ),
    "pattern added": Row(STR, {**STR, "pattern": "a"}, "pattern", True, False, "attern of"),
    "pattern removed": Row({**STR, "pattern": "a"}, STR, "pattern", False, True, "attern of"),
    "pattern changed": Row(
        {**STR, "pattern": "a"},
        {**STR, "pattern": "b"},
        "pattern",
        True,
        True,
        'was "a" and is "b"',
    ),
    "format changed": Row(
        {**STR, "format": "date"}, {**STR, "format": "uuid"}, "format", True, True, "ormat of"
    ),
    "required field added": Row(
        obj(),
        obj(["y"], y=STR),
        "required-property-added",
        True,
        False,
        "'x.y' of 'in' is new and required",
    ),
    "optional field added": Row(obj(), obj(y=STR), "property-added", False, False, "'x.y' of"),
    "field removed": Row(obj(y=STR), obj(), "property-removed", False, True, "'x.y' of"),
    "field refused": Row(
        obj(y=STR),
        {**obj(), "additionalProperties": False},
        "property-removed",
        True,
        True,
        "'x.y' of",
    ),
    "field made required": Row(
        obj(y=STR), obj(["y"], y=STR), "required", True, False, "required now"
    ),
    "field made optional": Row(
        obj(["y"], y=STR), obj(y=STR), "optional", False, True, "optional now"
    ),
    "further keys refused": Row(
        obj(),
        {**obj(), "additionalProperties": False},
        "additional-properties",
        True,
        False,
        "takes no further keys",
    ),
    "further keys allowed": Row(
        {**obj(), "additionalProperties": False},
        obj(),
        "additional-properties",
        False,
        True,
        "may have further keys",
    ),
    "values of a mapping": Row(
        {"type": "object", "additionalProperties": INT},
        {"type": "object", "additionalProperties": STR},
        "type-changed",
        True,
        True,
        "'x.*' of",
    ),
    "items": Row(
        {"type": "array", "items": NUM},
        {"type": "array", "items": INT},
        "type-narrowed",
        True,
        False,
        "'x[]' of",
    ),
    "one of a tuple": Row(
        {"type": "array", "items": [INT, STR]},
        {"type": "array", "items": [INT, INT]},
        "type-changed",
        True,
        True,
        "'x[1]' of",
    ),
    "tuple instead of a list": Row(
        {"type": "array", "items": INT},
        {"type": "array", "items": [INT]},
        "type-changed",
        True,
        True,
        "is a tuple now",
    ),
    "choice added": Row(
        CAT, {"oneOf": [CAT, DOG]}, "choice-added", False, True, 'now be kind="dog" too'
    ),
    "choice removed": Row(
        {"oneOf": [CAT, DOG]}, CAT, "choice-removed", True, False, 'no longer be kind="dog"'
    ),
    "inside of a choice": Row(
        {"anyOf": [INT, obj(y=INT)]},
        {"anyOf": [INT, obj(y=STR)]},
        "type-changed",
        True,
        True,
        "'x<object>.y' of",
    ),
    "beside a reference": Row(
        {"allOf": [STR], "description": "d"},
        {"allOf": [INT], "description": "d"},
        "type-changed",
        True,
        True,
        "was string and is integer",
    ),
}


def changes(before: dict[str, Any], after: dict[str, Any], rule: str) -> list[Change]:
    return [change for change in compare_documents(before, after) if change.rule == rule]


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_clients_write(row: Row) -> None:
    before = document_of(received=row.before, sent={})
    after = document_of(received=row.after, sent={})

    (change,) = changes(before, after, row.rule)

    assert change.direction == "to-server"
    assert change.breaking is row.breaks_writing
    assert row.words in change.message
    assert change.place.startswith("/channels/c/messages/in/payload/properties/x")


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_clients_read(row: Row) -> None:
    # A new field is one rule for readers, whether it is always there or not.
    rule = row.rule.replace("required-property", "property")
    before = document_of(received={}, sent=row.before)
    after = document_of(received={}, sent=row.after)

    (change,) = changes(before, after, rule)

    assert change.direction == "to-client"
    assert change.breaking is row.breaks_reading
    assert change.message[0].isupper()
    assert change.message.endswith(".")


BASE = document_of(received=STR, sent=STR)


def changed(**parts: Any) -> dict[str, Any]:
    document = deepcopy(BASE)
    for path, value in parts.items():
        *parents, last = path.split("__")
        found = document
        for parent in parents:
            found = found[parent]
        found[last] = value
    return document


KEY = {"type": "httpApiKey", "name": "token", "in": "query"}
HEADER = {"type": "httpApiKey", "name": "X-Key", "in": "header"}
MORE = deepcopy(BASE)
MORE["channels"]["d"] = {"address": "/more"}
MESSAGE = BASE["channels"]["c"]["messages"]
LESS_IN = changed(operations__receive__messages=[])
LESS_OUT = changed(operations__send__messages=[])
ROOM = changed(channels__c__address="/{room}", channels__c__parameters={"room": {}})


def room(*values: str) -> dict[str, Any]:
    document = deepcopy(ROOM)
    document["channels"]["c"]["parameters"]["room"]["enum"] = list(values)
    return document


@pytest.mark.parametrize(
    ("before", "after", "rule", "breaking", "words"),
    [
        (MORE, BASE, "channel-removed", True, "The channel /more is gone."),
        (BASE, MORE, "channel-added", False, "The channel /more is new."),
        (BASE, LESS_IN, "message-removed", True, "no longer takes the message 'in'"),
        (LESS_IN, BASE, "message-added", False, "takes the new message 'in'"),
        (BASE, LESS_OUT, "message-removed", True, "no longer sends the message 'out'"),
        (LESS_OUT, BASE, "message-added", True, "sends the new message 'out'"),
        (BASE, changed(servers={}), "server-removed", False, "wss://a.example is gone"),
        (changed(servers={}), BASE, "server-added", False, "wss://a.example is new"),
        (ROOM, room("a"), "parameter-narrowed", True, "one of: a"),
        (room("a", "b"), room("a"), "parameter-narrowed", True, "one of: a"),
        (room("a"), room("a", "b"), "parameter-widened", False, "one of: a, b"),
        (BASE, changed(operations__receive__security=[KEY]), "security-added", True, "query token"),
        (changed(operations__send__security=[KEY]), BASE, "security-removed", False, "query token"),
        (
            changed(operations__send__security=[KEY]),
            changed(operations__send__security=[HEADER]),
            "security-changed",
            True,
            "no longer takes query token, but header X-Key",
        ),
        (
            changed(operations__send__security=[KEY]),
            changed(operations__send__security=[KEY, HEADER]),
            "security-alternative",
            False,
            "also takes header X-Key",
        ),
    ],
    ids=range(15),
)
def test_channels_messages_and_security(
    before: dict[str, Any], after: dict[str, Any], rule: str, breaking: bool, words: str
) -> None:
    (change,) = compare_documents(before, after)

    assert (change.rule, change.breaking) == (rule, breaking)
    assert words in change.message


def test_a_channel_is_known_by_its_address() -> None:
    renamed = json.loads(json.dumps(BASE).replace("channels/c", "channels/renamed"))
    renamed["channels"]["renamed"] = renamed["channels"].pop("c")

    assert compare_documents(BASE, renamed) == []


@pytest.mark.parametrize(
    ("action", "required"),
    [({"const": "go"}, False), ({"enum": [1, 2]}, True), ({"type": "string"}, True)],
    ids=["optional", "no text", "no constant"],
)
def test_a_message_without_an_action_goes_by_its_key(action: Schema, required: bool) -> None:
    payload = obj(["action"], action=action) if required else obj(action=action)
    before = changed(channels__c__messages__in__payload=payload)
    after = deepcopy(before)
    after["operations"]["receive"]["messages"] = []

    (change,) = compare_documents(before, after)

    assert change.message == "The server no longer takes the message 'in'."


def test_answers_are_sent_to_clients() -> None:
    before = changed(
        operations__receive__reply={
            "channel": {"$ref": "#/channels/c"},
            "messages": [{"$ref": "#/channels/c/messages/out"}],
        },
        operations__send__messages=[],
    )

    assert [c.rule for c in compare_documents(before, LESS_OUT)] == ["message-removed"]


def test_a_document_has_not_changed_from_itself() -> None:
    document = generate_document(ROUTES, OPTIONS)

    assert compare_documents(document, generate_document(ROUTES, OPTIONS)) == []


def test_a_place_is_where_the_schema_is_written() -> None:
    before = generate_document(ROUTES, OPTIONS)
    after = deepcopy(before)
    after["components"]["schemas"]["Node-Input"]["properties"]["name"]["maxLength"] = 5
    assert validate_document(after) == []

    found = compare_documents(before, after)

    assert {change.place for change in found} >= {"/components/schemas/Node-Input/properties/name"}
    assert {(change.rule, change.direction, change.breaking) for change in found} == {
        ("limit", "to-server", True)
    }
    assert len(found) == len({change.message for change in found})


def test_a_new_camel_case_is_told_field_by_field() -> None:
    before = generate_document(ROUTES[-2:-1], OPTIONS)
    after = generate_document(ROUTES[-2:-1], replace(OPTIONS, camelize=True))

    gone = [c for c in compare_documents(before, after) if "by_level" in c.message]

    assert {(change.rule, change.direction) for change in gone} == {
        ("property-removed", "to-server"),
        ("property-removed", "to-client"),
    }
