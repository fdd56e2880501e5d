"""What the specification says in words, and what makes a document useless to its readers."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from chanx.asyncapi.close_codes import CLOSE_CODES, RETRIES
from chanx.asyncapi.shapes import is_list, is_object
from chanx.asyncapi.validation._problem import Problem, pointer
from chanx.asyncapi.validation._references import resolved
from chanx.asyncapi.validation._structure import schema_validator
from chanx.type_defs import JSONObject

__all__ = ["RULES"]

Rule = Callable[[JSONObject], Iterator[Problem]]
Path = tuple[str, ...]

_PARAMETER = re.compile(r"{([^{}]*)}")
_LEGAL_KEY = re.compile(r"[\w.-]+", re.ASCII)
_CLOSE_CODE = re.compile(r"[1-4][0-9]{3}")
_HOST = re.compile(r"[^\s/?#@]+")
_KEYED = ("servers", "channels", "operations")


def address_parameters(document: JSONObject) -> Iterator[Problem]:
    """An address and its channel's parameters name the same things."""
    for key, channel in _channels(document):
        used = _PARAMETER.findall(channel.get("address") or "")
        declared = channel.get("parameters", {})
        for name in dict.fromkeys(used):
            if name not in declared:
                message = f"The address holds {{{name}}}, which is not among the parameters."
                yield Problem(pointer("channels", key), "undeclared-parameter", message)
        for name in declared:
            if name not in used:
                place = pointer("channels", key, "parameters", name)
                message = f"The parameter {name!r} is not in the address."
                yield Problem(place, "unused-parameter", message)


def legal_keys(document: JSONObject) -> Iterator[Problem]:
    """Keys consist of letters, digits, dots, dashes and underscores."""
    for path, names in _keyed_objects(document):
        for name in names:
            if not _LEGAL_KEY.fullmatch(name):
                message = f"The key {name!r} may hold letters, digits, '.', '-' and '_' only."
                yield Problem(pointer(*path, name), "illegal-key", message)


def _keyed_objects(document: JSONObject) -> Iterator[tuple[Path, Iterable[str]]]:
    for section in _KEYED:
        yield (section,), document.get(section, {})
    for section, components in document.get("components", {}).items():
        if not section.startswith("x-"):
            yield ("components", section), components
    for key, channel in _channels(document):
        yield ("channels", key, "messages"), channel.get("messages", {})
        yield ("channels", key, "parameters"), channel.get("parameters", {})


def server_hosts(document: JSONObject) -> Iterator[Problem]:
    """A host is a host: the scheme is the `protocol`, the path the `pathname`."""
    for key, server in document.get("servers", {}).items():
        host = resolved(document, server).get("host", "")
        if not _HOST.fullmatch(host):
            message = (
                f"The host {host!r} is more than a host and a port: put its scheme into 'protocol' and its path into "
                "'pathname'."
            )
            yield Problem(pointer("servers", key, "host"), "server-host", message)


def operation_messages(document: JSONObject) -> Iterator[Problem]:
    """The messages of an operation are some of its channel's."""
    for key, operation in _operations(document):
        reply = operation.get("reply")
        parts: list[tuple[Path, JSONObject]] = [(("operations", key), operation)]
        parts += [(("operations", key, "reply"), resolved(document, reply))] if reply else []
        for path, part in parts:
            channel = str((part.get("channel") or operation["channel"]).get("$ref", ""))
            for index, message in enumerate(part.get("messages", ())):
                if not message.get("$ref", "").startswith(f"{channel}/messages/"):
                    place = pointer(*path, "messages", index)
                    text = f"The message {message.get('$ref')!r} is not one of the channel {channel!r}."
                    yield Problem(place, "foreign-message", text)


def unreachable_messages(document: JSONObject) -> Iterator[Problem]:
    """Each message is used: a component by a channel, and a channel's by an operation."""
    used = _used_references(document)
    for key, channel in _channels(document):
        reference = f"#/channels/{key}"
        if reference in used["whole channels"]:
            continue
        for name in channel.get("messages", {}):
            if f"{reference}/messages/{name}" not in used["messages"]:
                place = pointer("channels", key, "messages", name)
                message = f"No operation sends or receives the message {name!r} of this channel."
                yield Problem(place, "unreachable-message", message)
    for name in document.get("components", {}).get("messages", {}):
        if f"#/components/messages/{name}" not in used["components"]:
            place = pointer("components", "messages", name)
            yield Problem(place, "unreachable-message", f"No channel has the message {name!r}.")


def _used_references(document: JSONObject) -> dict[str, set[str]]:
    whole: set[str] = set()
    messages: set[str] = set()
    for _, operation in _operations(document):
        for part in (operation, resolved(document, operation.get("reply"))):
            if "messages" in part:
                messages |= {message.get("$ref", "") for message in part["messages"]}
            elif "channel" in part:
                whole.add(part["channel"].get("$ref", ""))
    components = {
        message.get("$ref", "")
        for _, channel in _channels(document)
        for message in channel.get("messages", {}).values()
    }
    return {"whole channels": whole, "messages": messages, "components": components | messages}


def examples(document: JSONObject) -> Iterator[Problem]:
    """Examples and defaults are valid values of their schemas."""
    yield from _message_examples(document)
    for path, schema in _schemas(document):
        listed = schema.get("examples")
        values: list[tuple[Path, Any]] = [
            (("examples", str(i)), value)
            for i, value in enumerate(listed if is_list(listed) else ())
        ]
        values += [(("default",), schema["default"])] if "default" in schema else []
        for where, value in values:
            yield from _contradiction(document, schema, value, (*path, *where))


def _message_examples(document: JSONObject) -> Iterator[Problem]:
    for name, message in document.get("components", {}).get("messages", {}).items():
        found = resolved(document, message)
        for index, example in enumerate(found.get("examples", ())):
            path = ("components", "messages", name, "examples", str(index))
            for part in ("payload", "headers"):
                if (
                    part in example
                    and is_object(found.get(part))
                    and "schemaFormat" not in found[part]
                ):
                    yield from _contradiction(document, found[part], example[part], (*path, part))


def _contradiction(
    document: JSONObject, schema: JSONObject, value: Any, path: Path
) -> Iterator[Problem]:
    # References are looked up in the document: its parts are laid beside the schema.
    whole = {"allOf": [schema], **{key: document[key] for key in _PLACES if key in document}}
    for error in schema_validator(whole).iter_errors(value):
        message = f"This contradicts its schema: {error.message[:200]}."
        yield Problem(pointer(*path), "example", message)
        return


_PLACES = ("components", "channels")
_ONE = (
    "additionalItems",
    "additionalProperties",
    "contains",
    "else",
    "if",
    "not",
    "propertyNames",
    "then",
)
_MANY = ("allOf", "anyOf", "oneOf")
_NAMED = ("definitions", "dependencies", "patternProperties", "properties")


def _schemas(document: JSONObject) -> Iterator[tuple[Path, JSONObject]]:
    components = document.get("components", {})
    for name, schema in components.get("schemas", {}).items():
        yield from _within(schema, ("components", "schemas", name))
    for name, message in components.get("messages", {}).items():
        yield from _within(message.get("payload"), ("components", "messages", name, "payload"))


def _within(schema: Any, path: Path) -> Iterator[tuple[Path, JSONObject]]:
    """Yield a schema and the schemas in it, where they are written."""
    if not is_object(schema) or "schemaFormat" in schema:
        return
    yield path, schema
    for keyword in _ONE:
        yield from _within(schema.get(keyword), (*path, keyword))
    items = schema.get("items")
    for keyword, listed in [("items", items), *((name, schema.get(name)) for name in _MANY)]:
        if is_list(listed):
            for index, item in enumerate(listed):
                yield from _within(item, (*path, keyword, str(index)))
    yield from _within(items, (*path, "items"))
    for keyword in _NAMED:
        for name, item in schema.get(keyword, {}).items():
            yield from _within(item, (*path, keyword, name))


def _channels(document: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    for key, channel in document.get("channels", {}).items():
        yield key, resolved(document, channel)


def _operations(document: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    for key, operation in document.get("operations", {}).items():
        yield key, resolved(document, operation)


def close_codes(document: JSONObject) -> Iterator[Problem]:
    """Close codes are from 1000 to 4999, and each says what to do."""
    for key, channel in _channels(document):
        codes = channel.get(CLOSE_CODES, {})
        for code, said in codes.items() if is_object(codes) else [("", None)]:
            place = pointer("channels", key, CLOSE_CODES, *([code] if code else []))
            if not _CLOSE_CODE.fullmatch(code) or not is_object(said):
                message = "This is no table of close codes from 1000 to 4999."
                yield Problem(place, "close-codes", message)
            elif said.get("retry") not in RETRIES:
                message = f"'retry' must be one of {', '.join(RETRIES)}."
                yield Problem(place, "close-codes", message)


RULES: tuple[Rule, ...] = (
    address_parameters,
    legal_keys,
    server_hosts,
    operation_messages,
    unreachable_messages,
    examples,
    close_codes,
)
