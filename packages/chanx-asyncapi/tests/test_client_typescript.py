"""Clients in TypeScript: what the emitter writes for names, text and schemas that are hard to write."""

import gzip
import re
from importlib.resources import files
from typing import Any

import pytest

from chanx.asyncapi import generate_document
from chanx.asyncapi._client.reading import read_client
from chanx.asyncapi._client.typescript import javascript_module, typescript_files

from .torture import OPTIONS, ROUTES

# Compressed: the file with its types, and what a page loads before the first channel.
MAX_RUNTIME_BYTES = 8000
MAX_SERVED_BYTES = 7000


def document(
    payload: Any,
    *,
    channel: str = "chat",
    schemas: dict[str, Any] | None = None,
    actions: tuple[str, ...] = ("say",),
    description: str = "",
) -> dict[str, Any]:
    """Return a document of one channel whose messages hold a payload."""
    messages = {
        f"m{place}": {
            "name": action,
            "title": f"Message {place}",
            "payload": {
                "type": "object",
                "properties": {"action": {"const": action}, "payload": payload},
                "required": ["action", "payload"],
            },
        }
        for place, action in enumerate(actions)
    }
    place = f"#/channels/{channel.replace('~', '~0').replace('/', '~1')}"
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "T", "version": "1"},
        "channels": {
            channel: {
                "address": "/ws",
                "description": description,
                "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in messages},
            }
        },
        "operations": {
            key: {
                "action": "receive",
                "channel": {"$ref": place},
                "messages": [{"$ref": f"{place}/messages/{key}"}],
            }
            for key in messages
        },
        "components": {"messages": messages, "schemas": schemas or {}},
    }


def files_of(payload: Any, **options: Any) -> dict[str, str]:
    return typescript_files(read_client(document(payload, **options)))


def payload_type(schema: Any, **options: Any) -> str:
    """Return the type of a payload on one line."""
    types = " ".join(files_of(schema, **options)["types.ts"].split())
    found = re.search(r'action: "say"; payload: (.*); }', types)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "format": "date-time"}, "string"),
        ({"type": "integer"}, "number"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"const": 'a"b'}, '"a\\"b"'),
        ({"enum": ["a", 1, None, True]}, '"a" | 1 | null | true'),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "number | null"),
        ({"type": "array", "items": {"type": ["string", "null"]}}, "(string | null)[]"),
        (
            {
                "type": "array",
                "items": [{"type": "string"}, {"type": "integer"}],
                "minItems": 2,
                "maxItems": 2,
            },
            "[string, number]",
        ),
        (
            {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
            "[string?, ...number[]]",
        ),
        ({"type": "object"}, "{ [key: string]: unknown; }"),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            "{ [key: string]: number; }",
        ),
        (
            {"type": "object", "properties": {"a-b": {}, "c": True}, "required": ["c"]},
            '{ "a-b"?: unknown; c: unknown; }',
        ),
        (
            {"allOf": [{"$ref": "#/components/schemas/A-Input"}, {"type": "object"}]},
            "AInput & { [key: string]: unknown; }",
        ),
        ({}, "unknown"),
    ],
)
def test_types(schema: Any, expected: str) -> None:
    schemas = {"A-Input": {"type": "string"}, "A-Output": {"type": "integer"}}

    assert payload_type(schema, schemas=schemas) == expected


def test_a_schema_that_contains_itself() -> None:
    node = {
        "type": "object",
        "properties": {"next": {"$ref": "#/components/schemas/Node"}},
        "description": "Ends */ here",
    }
    types = files_of({"$ref": "#/components/schemas/Node"}, schemas={"Node": node})["types.ts"]

    assert "/** Ends *\\/ here */\nexport interface Node {\n  next?: Node;\n}" in types


def test_names_that_collide_are_all_there() -> None:
    schemas = {
        name: {"type": "string"}
        for name in ("A-B", "A.B", "AB", "string", "Record", "1", "Größe", "***")
    }

    types = files_of(True, schemas=schemas)["types.ts"]

    declared = re.findall(r"^export type (\S+) =", types, re.MULTILINE)
    assert len(declared) == len(set(declared)) == len(schemas)
    assert {"Größe", "Type1", "Type", "String", "Record2"} <= set(declared)


@pytest.mark.parametrize(
    ("channel", "stem", "export"),
    [
        ("room_chat", "room_chat", "roomChat"),
        ("import", "import_", "import_"),
        ("index", "index2", "index"),
        ("con", "con_", "con"),
        ("connect", "connect", "connect2"),
        ("../x", "x", "x"),
        ("café", "café", "café"),
        ("*/", "channel", "channel2"),
    ],
)
def test_names_of_channels(channel: str, stem: str, export: str) -> None:
    content = document(True, channel=channel, description="*/ alert(1) /*")
    written = typescript_files(read_client(content))

    assert f"export const {export}: " in written[f"{stem}.ts"]
    assert f"export {{ {export} }} from './{stem}.js';" in written["index.ts"]
    assert f"export const {export} = channel(" in javascript_module(read_client(content))
    assert not any("*/ alert" in text for text in written.values())


def test_actions_that_are_no_identifiers() -> None:
    actions = ("__proto__", "a b", "*/", '"', "constructor")
    module = files_of(True, actions=actions)["chat.ts"]

    assert '["__proto__"]: {' in module
    assert '"__proto__": {' not in module.replace('["__proto__"]: {', "")
    assert all(f'"{name}"' in module for name in ("a b", "*/", '\\"', "constructor"))


def test_every_message_of_the_torture_application() -> None:
    model = read_client(generate_document(ROUTES, OPTIONS))
    written = typescript_files(model)

    assert len(written) == len(model.channels) + 4
    for channel in model.channels:
        (module,) = [text for text in written.values() if f'"path": "{channel.address}"' in text]
        for operation in channel.operations:
            assert all(f"{action}: {{ payload: " in module for action in operation.message.actions)


def test_the_order_of_a_document_does_not_matter() -> None:
    schemas = {name: {"type": "string"} for name in ("A-B", "A.B", "AB")}
    turned = dict(reversed(schemas.items()))

    assert files_of(True, schemas=schemas) == files_of(True, schemas=turned)


def test_the_runtime_is_small() -> None:
    runtime = files("chanx.asyncapi._client.typescript").joinpath("runtime.js").read_bytes()
    served = javascript_module(read_client(document({}))).encode()

    assert len(gzip.compress(runtime, 9)) <= MAX_RUNTIME_BYTES
    assert len(gzip.compress(served, 9)) <= MAX_SERVED_BYTES
    assert b"import " not in re.sub(rb"import\('[^']*'\)", b"", runtime)


def test_a_channel_is_not_named_as_what_its_module_imports() -> None:
    written = files_of(True, channel="types")

    assert "export const types2: " in written["types2.ts"]
    assert "export { types2 } from './types2.js';" in written["index.ts"]


def test_a_name_of_every_object_keeps_the_type_of_what_it_describes() -> None:
    # As a key of a type that any key fits, `constructor` has another type.
    module = files_of(True, actions=("constructor", "__proto__"))["chat.ts"]

    assert '["__proto__"]: {' in module
    assert module.endswith("} as const);\n")
