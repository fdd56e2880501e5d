"""The files of generated clients: what documents cannot make of them, and what writing them leaves alone."""

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chanx.asyncapi import generate_document
from chanx.asyncapi._client.python.emitter import python_files
from chanx.asyncapi._client.python.names import Identifiers, class_name, snake_name
from chanx.asyncapi._client.reading import read_client
from chanx.asyncapi.cli._commands import chanx
from chanx.asyncapi.errors import InputError

from .torture import OPTIONS, ROUTES

# Neither is there where the tests of this package run alone.
pytest.importorskip("uvicorn", reason="there is no uvicorn")
pytest.importorskip("chanx.fast_channels", reason="there is no chanx-fastchannels")

from .client_app import ROUTE

HOSTILE = '"""\nimport os\nos.abort()\n"""\\" \u202e {x} ${y} \x00\r\n\'\'\''


def document_of(payload: dict[str, Any], /, **schemas: Any) -> dict[str, Any]:
    """Return a document with a message that a client sends, and whose pong answers it."""

    def message(name: str, content: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"action": {"const": name, "type": "string"}, "payload": content},
            "required": ["action", "payload"],
        }

    channel = {"$ref": "#/channels/one"}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "One", "version": "1"},
        "channels": {
            "one": {
                "address": "/one",
                "messages": {
                    "ask": {"$ref": "#/components/messages/ask"},
                    "told": {"$ref": "#/components/messages/told"},
                },
            }
        },
        "operations": {
            "ask": {
                "action": "receive",
                "channel": channel,
                "messages": [{"$ref": "#/channels/one/messages/ask"}],
                "reply": {
                    "channel": channel,
                    "messages": [{"$ref": "#/channels/one/messages/told"}],
                    "x-answers": {"mode": "one", "messages": ["told"], "ends": ["error"]},
                },
            }
        },
        "components": {
            "messages": {
                "ask": {"title": "Ask", "payload": {"$ref": "#/components/schemas/Ask"}},
                "told": {"title": "Told", "payload": {"$ref": "#/components/schemas/Told"}},
            },
            "schemas": {
                "Ask": message("ask", payload),
                "Told": message("told", {"type": "integer"}),
                **schemas,
            },
        },
    }


def files_of(document: dict[str, Any]) -> dict[str, str]:
    files = python_files(read_client(document))
    for name, text in files.items():
        if name.endswith(".py"):
            compile(text, name, "exec")
    return files


def statements(text: str) -> set[str]:
    """Return the kinds of statements in a module."""
    return {type(node).__name__ for node in ast.parse(text).body}


def test_texts_of_a_document_stay_texts() -> None:
    hostile: dict[str, Any] = {
        "type": "object",
        "title": HOSTILE,
        "description": HOSTILE,
        "properties": {
            HOSTILE: {"type": "string", "description": HOSTILE, "default": HOSTILE},
            "constant": {"const": HOSTILE},
            "choice": {"enum": [HOSTILE, "plain"]},
            "pattern": {"type": "string", "pattern": HOSTILE, "examples": [HOSTILE]},
        },
    }
    document = document_of({"$ref": "#/components/schemas/Hostile"}, Hostile=hostile)
    document["info"]["title"] = document["channels"]["one"]["description"] = HOSTILE
    document["channels"]["one"]["title"] = HOSTILE
    document["channels"]["one"]["address"] = f"/{HOSTILE}"
    operation = document["operations"]["ask"]
    operation["summary"] = operation["description"] = HOSTILE
    files = files_of(document)
    assert statements(files["shared/messages.py"]) <= {"Expr", "Import", "ImportFrom", "ClassDef"}
    assert statements(files["one/client.py"]) == {"Expr", "ImportFrom", "Assign", "ClassDef"}
    for name in ("shared/messages.py", "one/client.py", "one/messages.py", "one/__init__.py"):
        for node in ast.walk(ast.parse(files[name])):
            assert not (
                isinstance(node, ast.Name | ast.alias) and "os" in ast.dump(node).split("'")
            )


def test_names_of_a_document_cannot_leave_the_folder() -> None:
    document = document_of({"type": "integer"})
    names = (
        "../escape",
        "/etc/passwd",
        "..",
        "base",
        "shared",
        "import",
        "Base",
        "BASE",
        "é/ü",
        "日本",
        "",
    )
    channels = {name: {**document["channels"]["one"], "title": "../x"} for name in names}
    document["channels"] |= channels
    files = files_of(document)
    folders = [
        name.rpartition("/")[0]
        for name in files
        if name.endswith("/client.py") and "base/" not in name
    ]
    assert len({folder.casefold() for folder in folders}) == len(names) + 1
    assert all(folder.isidentifier() for folder in folders)
    assert not {"base", "shared", "import"} & set(folders)


@pytest.mark.parametrize(
    "name",
    [
        "close", "import", "self", "send", "class", "None", "model_config", "payload", "action", "123", "a-b", "日本",
        "_m", "message", "json", "copy", "schema",
    ],
)  # fmt: skip
def test_names_survive(name: str) -> None:
    payload: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"type": "string"}, "other": {"type": "integer"}},
        "required": [name],
    }
    document = document_of({"$ref": f"#/components/schemas/{name}"}, **{name: payload})
    document["components"]["schemas"]["Ask"]["properties"]["action"]["const"] = name
    document["components"]["schemas"][f"{name}-Input"] = payload
    document["components"]["schemas"][f"{name}-Output"] = payload
    client = files_of(document)["one/client.py"]
    assert repr(name)[1:-1] in client


def test_identifiers() -> None:
    assert [class_name(text) for text in ("chat-room", "Item-Input", "3d", "", "Ünï")] == [
        "ChatRoom", "ItemInput", "N3d", "Unnamed", "Uni",
    ]  # fmt: skip
    assert [snake_name(text) for text in ("chatRoom", "HTTPError", "a b", "3d")] == [
        "chat_room", "http_error", "a_b", "n3d",
    ]  # fmt: skip
    scope = Identifiers({"send"})
    assert [scope.take(name) for name in ("a", "A", "import", "send", "send")] == [
        "a", "A_2", "import_", "send_", "send_2",
    ]  # fmt: skip


@pytest.mark.parametrize("reference", ["#/components/messages/ask", "#/channels/one"])
def test_references_to_anything_but_schemas_are_refused(reference: str) -> None:
    with pytest.raises(InputError, match="schema reference"):
        python_files(read_client(document_of({"$ref": reference})))


def test_the_torture_application_can_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = files_of(generate_document(ROUTES, OPTIONS))
    for name, text in files.items():
        (tmp_path / "tortured" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tortured" / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for name in files:
        if name.endswith("/__init__.py"):
            __import__(f"tortured.{name.removesuffix('/__init__.py')}")


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "asyncapi.json"
    path.write_text(json.dumps(generate_document([ROUTE])), encoding="utf-8")
    return path


def run(*arguments: str | Path, code: int = 0) -> str:
    result = CliRunner().invoke(chanx, ["generate-client", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.output


def test_the_command_writes_a_client_and_checks_it(schema: Path, tmp_path: Path) -> None:
    output = tmp_path / "client"
    assert "for 1 channel." in run("-s", schema, "-o", output)
    assert (output / "hub" / "client.py").is_file()
    assert (output / "README.md").is_file()
    assert "up to date" in run("-s", schema, "-o", output, "--check")
    (output / "hub" / "client.py").write_text("x = 1\n", encoding="utf-8")
    assert "+class HubClient" in run("-s", schema, "-o", output, "--check", code=1)
    assert "--force overwrites it" in run("-s", schema, "-o", output, code=2)
    run("-s", schema, "-o", output, "-f", "--no-format", "--no-readme")
    assert not (output / "README.md").exists()


def test_the_command_writes_typescript(schema: Path, tmp_path: Path) -> None:
    output = tmp_path / "api"
    run("-s", schema, "-o", output, "--language", "typescript")
    assert {"index.ts", "hub.ts", "runtime.js", "runtime.d.ts"} <= {
        path.name for path in output.iterdir()
    }
    assert "up to date" in run("-s", schema, "-o", output, "--language", "typescript", "--check")


def test_files_of_the_user_stay(schema: Path, tmp_path: Path) -> None:
    output = tmp_path / "client"
    output.mkdir()
    mine = output / "mine.py"
    mine.write_text("mine = 1\n", encoding="utf-8")
    run("-s", schema, "-o", output)
    (output / "hub" / "extra.py").write_text("extra = 1\n", encoding="utf-8")
    document = json.loads(schema.read_text(encoding="utf-8"))
    text = json.dumps(document).replace("channels/hub", "channels/core")
    renamed = json.loads(text)
    renamed["channels"] = {
        key.replace("hub", "core", 1): one for key, one in renamed["channels"].items()
    }
    schema.write_text(json.dumps(renamed), encoding="utf-8")
    run("-s", schema, "-o", output, "--no-clear-channels")
    assert (output / "hub" / "client.py").exists()
    run("-s", schema, "-o", output)
    assert (output / "core" / "client.py").exists()
    assert sorted(path.name for path in (output / "hub").iterdir()) == ["extra.py"]
    run("-s", schema, "-o", output, "--clear-output")
    assert mine.read_text(encoding="utf-8") == "mine = 1\n"


def test_a_changed_runtime_is_kept_unless_asked(schema: Path, tmp_path: Path) -> None:
    output = tmp_path / "client"
    run("-s", schema, "-o", output)
    policy = output / "base" / "policy.py"
    policy.write_text("mine = 1\n", encoding="utf-8")
    assert "--override-base replaces it" in run("-s", schema, "-o", output)
    assert policy.read_text(encoding="utf-8") == "mine = 1\n"
    run("-s", schema, "-o", output, "--override-base")
    assert "Backoff" in policy.read_text(encoding="utf-8")


def test_nothing_is_written_through_links(schema: Path, tmp_path: Path) -> None:
    output, elsewhere = tmp_path / "client", tmp_path / "elsewhere"
    output.mkdir()
    elsewhere.mkdir()
    (output / "hub").symlink_to(elsewhere, target_is_directory=True)
    assert "is not a file of" in run("-s", schema, "-o", output, code=2)
    assert [*elsewhere.iterdir()] == []
    (output / ".chanx-client.json").write_text(
        '{"files": {"../asyncapi.json": "x"}}', encoding="utf-8"
    )
    (output / "hub").unlink()
    run("-s", schema, "-o", output, "--clear-output")
    assert schema.exists()


def test_an_application_and_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Cannot read missing.json" in run("-s", "missing.json", "-o", "x", code=2)
    assert "Cannot import 'no_such_module'" in run("-s", "no_such_module:app", "-o", "x", code=2)
    assert "Cannot fetch http://127.0.0.1:9/" in run("-s", "http://127.0.0.1:9/", "-o", "x", code=2)
    broken = tmp_path / "broken.json"
    document = document_of({"$ref": "#/components/schemas/Missing"})
    broken.write_text(json.dumps(document), encoding="utf-8")
    assert "/components/schemas/Ask/properties/payload" in run("-s", broken, "-o", "x", code=2)
    assert not (tmp_path / "x").exists()


def test_without_the_extra_documents_still_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datamodel_code_generator", None)
    assert generate_document([ROUTE])
    with pytest.raises(InputError, match=r"chanx-asyncapi\[client\]"):
        python_files(read_client(generate_document([ROUTE])))
