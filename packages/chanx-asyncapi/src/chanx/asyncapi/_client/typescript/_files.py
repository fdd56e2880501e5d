"""The files of a client: the runtime, the types, a module for each channel, and the index."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from chanx.asyncapi._client.model import (
    Channel,
    ClientModel,
    Message,
    Operation,
    ServerRequest,
    Topic,
)
from chanx.asyncapi._client.typescript._names import (
    Names,
    camel_case,
    comment,
    file_stem,
    literal,
    pascal_case,
    property_name,
)
from chanx.asyncapi._client.typescript._types import TypeWriter
from chanx.asyncapi.shapes import is_object
from chanx.type_defs import JSONObject

__all__ = ["javascript_module", "typescript_files"]

_HEADER = "// Made by `chanx generate-client`: do not edit.\n"
_ERRORS = "ClientError, ConnectionLost, ServerError"
_COMMENT_LINES = re.compile(r"^ */\*\*(?:[^*]|\*(?!/))*\*/\n", re.MULTILINE)
_TOP_LEVEL = re.compile(r"^(?:export )?(?:class|const|function|let) (\w+)", re.MULTILINE)


def typescript_files(model: ClientModel) -> dict[str, str]:
    """Return the content of each file, by name."""
    return _Files(model).all()


def javascript_module(model: ClientModel) -> str:
    """Return one module with the runtime and what each channel is, for pages without a build step."""
    # A page does not read types, and they are a sixth of what it would load.
    parts = [_COMMENT_LINES.sub("", _runtime("runtime.js"))]
    for channel, name in _channel_names(model).items():
        said = comment(channel.description)
        parts.append(
            f"{said}export const {name} = channel({literal(_description(channel, model), 2)});\n"
        )
    return "\n".join(parts)


@cache
def _runtime(name: str) -> str:
    return files("chanx.asyncapi._client.typescript").joinpath(name).read_text(encoding="utf-8")


def _channel_names(model: ClientModel) -> dict[Channel, str]:
    # `types` is what a TypeScript module imports the types as.
    names = Names([*_TOP_LEVEL.findall(_runtime("runtime.js")), "types"])
    return {channel: names.new(camel_case(channel.key)) for channel in model.channels}


class _Files:
    def __init__(self, model: ClientModel) -> None:
        self._model = model
        # What the modules import from the runtime, and what they declare themselves.
        taken = [
            "channel",
            "types",
            "ChannelOf",
            "ClientOf",
            "TopicOf",
            "Record",
            *_ERRORS.split(", "),
        ]
        schemas = {**model.schemas, **_unnamed(model)}
        self._types = TypeWriter(schemas, Names(taken))
        self._exports = _channel_names(model)
        stems = Names(["index", "types", "runtime"], ignore_case=True)
        self._stems = {channel: stems.new(file_stem(channel.key)) for channel in model.channels}
        kinds = Names([*taken, *self._types.names.values()])
        self._kinds = {
            channel: kinds.new(f"{pascal_case(channel.key)}Channel") for channel in model.channels
        }
        self._clients = {
            channel: kinds.new(f"{pascal_case(channel.key)}Client") for channel in model.channels
        }

    def all(self) -> dict[str, str]:
        modules = {f"{stem}.ts": self._channel(channel) for channel, stem in self._stems.items()}
        return {
            "runtime.js": _runtime("runtime.js"),
            "runtime.d.ts": _runtime("runtime.d.ts"),
            "types.ts": f"{_HEADER}\n{self._types.declarations() or 'export {};'}",
            **modules,
            "index.ts": self._index(),
        }

    def _index(self) -> str:
        lines = [
            f"export {{ {self._exports[channel]} }} from './{stem}.js';\n"
            f"export type {{ {self._kinds[channel]}, {self._clients[channel]} }} from './{stem}.js';\n"
            for channel, stem in self._stems.items()
        ]
        errors = f"export {{ {_ERRORS} }} from './runtime.js';\n"
        return f"{_HEADER}\n{''.join(lines)}{errors}export type * from './types.js';\n"

    def _channel(self, channel: Channel) -> str:
        kind, client = self._kinds[channel], self._clients[channel]
        what = literal(_description(channel, self._model), 2)
        return (
            f"{_HEADER}\n"
            "import { channel, type ChannelOf, type ClientOf } from './runtime.js';\n"
            "import type * as types from './types.js';\n\n"
            f"/** The types of the channel, for the runtime. */\n"
            f"export interface {kind} {self._channel_types(channel)}\n\n"
            f"/** A connection to the channel. */\n"
            f"export type {client} = ClientOf<{kind}>;\n\n"
            f"{comment(channel.description)}"
            f"export const {self._exports[channel]}: ChannelOf<{kind}> = channel<{kind}>({what} as const);\n"
        )

    def _channel_types(self, channel: Channel) -> str:
        query = [one for one in channel.handshake if one.location == "query"]
        topics = [
            f"{property_name(key)}: {self._topic_types(topic)};"
            for key, topic in _topics(channel).items()
        ]
        return _block(
            [
                f"params: {_block(f'{property_name(name)}: string | number;' for name in channel.parameters)};",
                # Optional: what proves who the client is comes by `token`.
                f"query: {_block(f'{property_name(one.name)}?: {self._type(one.schema)};' for one in query)};",
                *self._part(channel),
                f"topics: {_block(topics)};",
            ]
        )

    def _topic_types(self, topic: Topic) -> str:
        known = topic.schema.get("properties", topic.schema)
        params = [
            f"{property_name(name)}: {self._type(known[name]) if name in known else 'string | number'};"
            for name in topic.parameters
        ]
        events = [message for message in topic.pushed if not {"error"} & {*message.actions}]
        return _block(
            [f"params: {_block(params)};", *self._part(topic), f"events: {self._union(events)};"]
        )

    def _part(self, part: Channel | Topic) -> list[str]:
        by_action: dict[str, list[Message]] = {}
        for message in part.received:
            for action in message.actions:
                by_action.setdefault(action, []).append(message)
        messages = [
            f"{property_name(action)}: {self._union(found)};" for action, found in by_action.items()
        ]
        field = part.discriminator if isinstance(part, Channel) else "action"
        operations = [line for one in part.operations for line in self._operation(one, field)]
        return [
            f"operations: {_block(operations)};",
            f"messages: {_block(messages)};",
            f"requests: {_block(line for one in part.requests for line in self._request(one))};",
        ]

    def _operation(self, operation: Operation, field: str) -> Iterable[str]:
        message = operation.message
        properties: JSONObject = message.schema.get("properties", {})
        name = self._name(message)
        payload = f'{name}["payload"]' if "payload" in properties else "undefined"
        others = [
            key for key in properties if key not in ("payload", *_discriminators(message, field))
        ]
        fields = f"Pick<{name}, {' | '.join(map(literal, others))}>" if others else "{}"
        is_optional = "payload" not in message.schema.get("required", ())
        answer = (
            self._union(operation.items or operation.replies)
            if operation.mode != "none"
            else "never"
        )
        said = comment(operation.description or operation.summary)
        for action in message.actions:
            types = f"payload: {payload}; isOptional: {str(is_optional).lower()}; fields: {fields}"
            yield f"{said}{property_name(action)}: {{ {types}; mode: {literal(operation.mode)}; answer: {answer} }};"

    def _request(self, request: ServerRequest) -> Iterable[str]:
        said = comment(request.description or request.summary)
        types = (
            f"{{ message: {self._name(request.message)}; answer: {self._union(request.answers)} }}"
        )
        for action in request.message.actions:
            yield f"{said}{property_name(action)}: {types};"

    def _union(self, messages: Iterable[Message]) -> str:
        return " | ".join(dict.fromkeys(map(self._name, messages))) or "never"

    def _name(self, message: Message) -> str:
        return f"types.{self._types.names[_key(message)]}"

    def _type(self, schema: JSONObject) -> str:
        return self._types.type_of(schema) if "$ref" not in schema else "string"


def _discriminators(message: Message, field: str) -> set[str]:
    """Return the keys that say which message it is: the field of the channel, whatever the topic's model says."""
    properties: JSONObject = message.schema.get("properties", {})
    found = {
        name
        for name, one in properties.items()
        if is_object(one)
        and (one.get("const") in message.actions or one.get("enum") == [*message.actions])
    }
    return found | {field}


def _key(message: Message) -> str:
    return message.schema_name or f"message {message.key}"


def _unnamed(model: ClientModel) -> dict[str, JSONObject]:
    """Return the messages whose schema has no name of its own."""
    parts: list[Channel | Topic] = []
    for channel in model.channels:
        parts += [channel, *channel.topics]
    messages = [message for part in parts for message in (*part.sent, *part.received)]
    return {_key(message): message.schema for message in messages if message.schema_name is None}


def _block(lines: Iterable[str]) -> str:
    inner = "\n".join(f"  {line}" for entry in lines for line in entry.splitlines())
    return f"{{\n{inner}\n}}" if inner else "{}"


def _description(channel: Channel, model: ClientModel) -> JSONObject:
    """Return what the runtime knows of a channel."""
    described: JSONObject = {
        "path": channel.address,
        "servers": [*model.servers],
        "field": channel.discriminator,
        "controls": dict(channel.controls),
        "closeCodes": {str(one.code): one.retry for one in channel.close_codes},
        "heartbeat": channel.heartbeat_interval,
        **_part(channel),
        "topics": {
            key: {"pattern": topic.pattern, **_part(topic)}
            for key, topic in _topics(channel).items()
        },
    }
    return {name: value for name, value in described.items() if value or name == "operations"}


def _topics(channel: Channel) -> dict[str, Topic]:
    """Return the topics by the keys that clients use: `room` for RoomTopic."""
    names = Names()
    return {names.new(topic.name.removesuffix("_topic")): topic for topic in channel.topics}


def _part(part: Channel | Topic) -> JSONObject:
    return {
        "operations": {
            action: _operation(operation)
            for operation in part.operations
            for action in operation.message.actions
        },
        "receives": sorted({action for message in part.received for action in message.actions}),
        "requests": sorted({action for one in part.requests for action in one.message.actions}),
    }


def _operation(operation: Operation) -> JSONObject:
    described: JSONObject = {
        "mode": operation.mode,
        "window": operation.window,
        "cancellable": operation.is_cancellable,
    }
    return {name: value for name, value in described.items() if value}
