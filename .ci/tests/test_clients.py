"""Generated clients in Python under strict type checkers: those of the sandboxes, and those of random documents."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chanx.asyncapi._client.python.emitter import python_files
from chanx.asyncapi._client.reading import read_client

ROOT = Path(__file__).parents[2]
DOCUMENTS = int(os.environ.get("CLIENT_DOCUMENTS", "12"))
SANDBOXES = {
    "django": ("config.settings", {"DJANGO_SETTINGS_MODULE": "config.settings"}),
    "fastapi": ("sandbox_fastapi.main:app", {}),
    "mixed": ("sandbox_mixed.django_settings", {"DJANGO_SETTINGS_MODULE": "sandbox_mixed.django_settings"}),
}  # fmt: skip
NAMES = [
    "name", "class", "import", "close", "self", "None", "True", "json", "copy",
    "schema", "fields", "model_config", "model_dump", "payload", "action", "items",
    "type", "id", "a-b", "a b", "a_b", "camelCase", "HTTPError", "3d", "_private",
    "__init__", "日本", "über", "é", "", "x/y", "x~y", "Model", "Field", "Literal", "Any",
    "str", "list", "datetime", "UUID", "message", "messages", "handler", "client",
    "topic", "send", "request", "base", "shared", '"""', "\\", "{x}", "$ref", "\n",
]  # fmt: skip

pytestmark = pytest.mark.skipif(
    "CLIENTS" not in os.environ, reason="the session `clients` has the type checkers"
)


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
        schema = self.random.choice([*self.plain(), *(self.nested(depth) if depth < 3 else ())])
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

    def nested(self, depth: int) -> Iterator[dict[str, Any]]:
        yield self.model(depth)
        yield {"type": "array", "items": self.schema(depth + 1)}
        yield {"type": "array", "items": [self.schema(depth + 1) for _ in range(2)], "maxItems": 2}
        yield {"type": "object", "additionalProperties": self.schema(depth + 1)}
        yield {"anyOf": [self.schema(depth + 1), {"type": "null"}]}
        yield {"oneOf": [self.schema(depth + 1), self.schema(depth + 1)]}
        yield {"allOf": [{"type": "object", "properties": {"a": self.schema(depth + 1)}}]}


def escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def check(folder: Path, *, is_whole: bool) -> None:
    """Hold every package of a folder against mypy, and all of it if asked, each in one run."""
    environment = {**os.environ, "MYPYPATH": str(folder)}
    settings = {"include": ["."], "typeCheckingMode": "strict", "pythonVersion": "3.11"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    packages = sorted(path.name for path in folder.iterdir() if path.is_dir())
    commands = [
        ["mypy", "--strict", "--config-file=", "--no-incremental", *packages],
        ["ruff", "check", "--isolated", "--ignore-noqa", "--ignore=I001,BLE001,TRY004", "--no-cache", "."],
        ["pyright", f"--pythonpath={sys.executable}", "-p", "pyrightconfig.json"],
    ]  # fmt: skip
    for command in commands if is_whole else commands[:1]:
        program = str(Path(sys.executable).with_name(command[0]))
        found = subprocess.run(
            [program, *command[1:]], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]


@pytest.mark.timeout(600)
def test_clients_of_the_sandboxes(tmp_path: Path) -> None:
    for name, (application, settings) in SANDBOXES.items():
        program = str(Path(sys.executable).with_name("chanx"))
        command = [
            program,
            "generate-client",
            "-s",
            application,
            "-o",
            str(tmp_path / f"{name}_client"),
        ]
        environment = {**os.environ, **settings}
        folder = ROOT / "sandboxes" / name
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    check(tmp_path, is_whole=True)


@pytest.mark.timeout(900)
def test_clients_of_random_documents(tmp_path: Path) -> None:
    for seed in range(DOCUMENTS):
        for name, text in python_files(read_client(Documents(seed).document())).items():
            path = tmp_path / f"client_{seed}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for seed in range(DOCUMENTS):
        names = [path.parent.name for path in (tmp_path / f"client_{seed}").glob("*/client.py")]
        imports = "; ".join(f"import client_{seed}.{name}" for name in names)
        subprocess.run([sys.executable, "-c", imports], cwd=tmp_path, check=True)
    check(tmp_path, is_whole=False)
