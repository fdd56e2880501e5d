"""Random documents for the generators of clients, with names, texts and schemas that are hard to write."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

__all__ = ["Documents"]

NAMES = [
    "name", "class", "import", "close", "self", "None", "True", "json", "copy",
    "schema", "fields", "model_config", "model_dump", "payload", "action", "items",
    "type", "id", "a-b", "a b", "a_b", "camelCase", "HTTPError", "3d", "_private",
    "__init__", "日本", "über", "é", "", "x/y", "x~y", "Model", "Field", "Literal", "Any",
    "str", "list", "datetime", "UUID", "message", "messages", "handler", "client",
    "topic", "send", "request", "base", "shared",
    "constructor", "__proto__", "toString", "then", "await", "async", "enum", "default", "match", "arguments",
    "undefined", "NaN", "index", "types", "runtime", "channel", "connect", "Client", "Topic", "ClientOf", "Record",
    "errors", "stream", "subscribe", "handle", "on_error", "params", "token", "BaseModel", "Annotated", "asyncio",
    "dict", "mro", "__class__", "print", "CON", "*/", "`${x}`", "\u2028", "\u0130", "\ufb01", "\U0001f600", "a\u0301",
    '"""', "\\", "{x}", "$ref", "\n",
]  # fmt: skip


class Documents:
    """Random documents, the same for each seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.schemas: dict[str, Any] = {}
        self.messages: dict[str, Any] = {}
        self.operations: dict[str, Any] = {}

    def name(self) -> str:
        return self.random.choice(NAMES)

    def document(self) -> dict[str, Any]:
        pick = self.random
        for number in range(pick.randint(1, 4)):
            self.schemas[f"{self.name().replace('/', '').replace('~', '')}{number}-Input"] = {}
        for name in self.schemas:
            self.schemas[name] = self.model(1)
        channels = {f"{self.name()}": self.channel(str(n)) for n in range(pick.randint(1, 3))}
        for key, channel in channels.items():
            self.add_operations(key, channel)
        return {
            "asyncapi": "3.0.0",
            "info": {"title": self.name(), "version": "1", "description": self.name()},
            "channels": channels,
            "operations": self.operations,
            "components": {"messages": self.messages, "schemas": self.schemas},
        }

    def channel(self, number: str) -> dict[str, Any]:
        topic = {"name": self.name(), "pattern": "room:{name}", "parameters": ["name"]}
        return {
            "address": f"/{number}",
            "title": self.name(),
            "description": self.name(),
            "messages": {},
            **({"x-topic": topic} if self.random.random() < 0.3 else {}),
        }

    def add_operations(self, key: str, channel: dict[str, Any]) -> None:
        pick = self.random
        for _ in range(pick.randint(1, 4)):
            sent, *replies = [self.message(key, channel) for _ in range(pick.randint(1, 4))]
            mode = pick.choice(["stream", "one", "none", "many", None])
            answers = {
                "mode": mode,
                "messages": [self.action(one) for one in replies],
                "ends": ["error"],
                "window": 8,
            }
            reply: dict[str, Any] = {
                "messages": replies,
                **({"x-answers": answers} if mode else {}),
            }
            self.operations[f"operation{len(self.operations)}"] = {
                "action": pick.choice(["receive", "receive", "send"]),
                "channel": {"$ref": f"#/channels/{escaped(key)}"},
                "summary": self.name(),
                "description": self.name(),
                "messages": [sent],
                **({"reply": reply} if pick.random() < 0.8 else {}),
            }  # fmt: skip

    def action(self, reference: dict[str, str]) -> str:
        number = reference["$ref"].rpartition("message")[2]
        return str(self.schemas[f"Message{number}"]["properties"]["action"]["const"])

    def message(self, key: str, channel: dict[str, Any]) -> dict[str, str]:
        number = len(self.messages)
        self.schemas[f"Message{number}"] = {
            "type": "object",
            "description": self.name(),
            "properties": {
                "action": {"const": f"{self.name()}{number}", "type": "string"},
                "payload": self.schema(0),
                f"{self.name()} more": self.schema(2),
            },
            "required": self.random.choice([["action"], ["action", "payload"]]),
        }
        payload = {"$ref": f"#/components/schemas/Message{number}"}
        self.messages[f"message{number}"] = {"title": self.name(), "payload": payload}
        channel["messages"][f"message{number}"] = {"$ref": f"#/components/messages/message{number}"}
        return {"$ref": f"#/channels/{escaped(key)}/messages/message{number}"}

    def model(self, depth: int) -> dict[str, Any]:
        names = list(dict.fromkeys(self.name() for _ in range(self.random.randint(0, 5))))
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: self.schema(depth + 1) for name in names},
            "required": [name for name in names if self.random.random() < 0.5],
        }
        if self.random.random() < 0.2:
            schema["additionalProperties"] = self.random.choice([False, True, {"type": "integer"}])
        return schema

    def schema(self, depth: int) -> dict[str, Any]:
        choices = [*self.plain(), *(self.nested(depth) if depth < 3 else ())]
        picked = self.random.choice(choices)
        schema: dict[str, Any] = picked() if callable(picked) else picked
        if self.random.random() < 0.3:
            schema = {**schema, "description": self.name(), "title": self.name()}
        if self.random.random() < 0.2:
            schema = {**schema, "default": self.random.choice([None, 1, self.name(), [], {}])}
        return schema

    def plain(self) -> list[dict[str, Any]]:
        return [
            {},
            {"type": "string"},
            {"type": "string", "pattern": "^[a-z]+\"$", "maxLength": 9},
            {"type": "string", "format": self.random.choice(["date-time", "date", "uuid", "duration", "uri"])},
            {"type": "integer", "minimum": 1, "exclusiveMaximum": 9},
            {"type": "number", "multipleOf": 0.5},
            {"type": "boolean"},
            {"type": "null"},
            {"const": self.name()},
            {"enum": [self.name(), 1, None, True]},
            {"enum": [self.name()], "type": "string"},
            *({"$ref": f"#/components/schemas/{name}"} for name in self.schemas if name.endswith("-Input")),
        ]  # fmt: skip

    def nested(self, depth: int) -> list[Callable[[], dict[str, Any]]]:
        """Return what makes a schema with others in it: only the one that is chosen is made."""
        inner = partial(self.schema, depth + 1)
        return [
            lambda: self.model(depth),
            lambda: {"type": "array", "items": inner()},
            lambda: {"type": "array", "items": [inner(), inner()], "maxItems": 2},
            lambda: {"type": "object", "additionalProperties": inner()},
            lambda: {"anyOf": [inner(), {"type": "null"}]},
            lambda: {"oneOf": [inner(), inner()]},
            lambda: {"allOf": [{"type": "object", "properties": {"a": inner()}}]},
        ]


def escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
