"""The runtime of JavaScript clients and generated clients, held against the TypeScript compiler.

The session `typescript` installs it and says where; without it these tests are skipped.
"""

import json
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from documents import SOURCES
from markdown_it import MarkdownIt
from random_documents import Documents

from chanx.asyncapi._client.reading import read_client
from chanx.asyncapi._client.typescript import javascript_module, typescript_files
from chanx.asyncapi._client.typescript._names import Names
from chanx.asyncapi._client.typescript._types import TypeWriter

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = os.environ.get("TYPESCRIPT")
RUNTIME = Path(str(files("chanx.asyncapi._client.typescript")))
STRICT = ["--strict", "--noEmit", "--target", "es2022", "--module", "nodenext"]
STRICTER = ["--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--verbatimModuleSyntax"]
LIBRARIES = ["--lib", "es2022,dom,dom.iterable,esnext.disposable"]
DOCUMENTS = int(os.environ.get("CLIENT_DOCUMENTS", "300"))
GUIDE = ROOT / "docs/how-to/typescript-client.md"
NAMES = [name for name in SOURCES if name.endswith("3.0.0")]

pytestmark = [
    pytest.mark.skipif(INSTALLED is None, reason="the TypeScript compiler is not installed"),
    pytest.mark.timeout(180),
]


def compile_in(folder: Path, *arguments: str) -> str:
    """Return what the compiler says about some files."""
    compiler = Path(INSTALLED or "") / "node_modules/.bin/tsc"
    command = [str(compiler), *STRICT, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout


def written(text: bytes, folder: Path) -> Path:
    """Write the client of a document."""
    model = read_client(json.loads(text))
    for name, content in typescript_files(model).items():
        (folder / name).write_text(content, "utf-8")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "served.mjs").write_text(javascript_module(model), "utf-8")
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_generated_clients(name: str, tmp_path: Path) -> None:
    folder, command = SOURCES[name]
    document = subprocess.run(command, cwd=ROOT / folder, check=True, capture_output=True).stdout
    place = written(document, tmp_path)

    assert compile_in(place, *STRICTER, "index.ts") == ""
    subprocess.run(["node", "--check", "served.mjs"], cwd=place, check=True)


def test_clients_of_random_documents(tmp_path: Path) -> None:
    """All in one run of the compiler; and the modules that a server would serve are scripts that run."""
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for seed in range(DOCUMENTS):
        folder = tmp_path / f"client_{seed}"
        folder.mkdir()
        written(json.dumps(Documents(seed).document()).encode(), folder)
    clients = [f"client_{seed}" for seed in range(DOCUMENTS)]
    imports = "".join(f"await import('./{client}/served.mjs');\n" for client in clients)
    (tmp_path / "imports.mjs").write_text(imports, "utf-8")

    assert compile_in(tmp_path, *STRICTER, *(f"{client}/index.ts" for client in clients)) == ""
    subprocess.run(["node", "imports.mjs"], cwd=tmp_path, check=True)


JUDGED = """
import sys
sys.path.insert(0, "packages/chanx-asyncapi")
from chanx.asyncapi import generate_document
from tests.torture import OPTIONS, ROUTES
import json
print(json.dumps(generate_document(ROUTES, OPTIONS)))
"""


def test_another_emitter_writes_the_same_types(tmp_path: Path) -> None:
    """json-schema-to-typescript judges the types of the document with all that pydantic can write."""
    done = subprocess.run([sys.executable, "-c", JUDGED], cwd=ROOT, check=True, capture_output=True)
    model = read_client(json.loads(done.stdout))
    schemas = json.loads(
        json.dumps(model.schemas).replace("#/components/schemas/", "#/definitions/")
    )
    root = {
        "type": "object",
        "properties": {name: {"$ref": f"#/definitions/{name}"} for name in schemas},
        "required": [*schemas],
        "definitions": schemas,
    }
    judge = subprocess.run(
        ["node", "judge.mjs"],
        cwd=Path(INSTALLED or ""),
        input=json.dumps(root),
        check=True,
        capture_output=True,
        text=True,
    )
    writer = TypeWriter(model.schemas, Names())
    (tmp_path / "theirs.ts").write_text(judge.stdout, "utf-8")
    (tmp_path / "ours.ts").write_text(writer.declarations(), "utf-8")
    same = [
        f"same<ours.{ours}, Judged[{name!r}]>(); same<Judged[{name!r}], ours.{ours}>();"
        for name, ours in writer.names.items()
    ]
    text = """
import type * as ours from './ours.js';
import type { Judged } from './theirs.js';
declare function same<Narrow extends Wide, Wide>(): void;
"""
    (tmp_path / "check.ts").write_text(text + "\n".join(same))
    (tmp_path / "package.json").write_text('{"type": "module"}')

    assert len(same) > 100
    assert compile_in(tmp_path, "check.ts") == ""


def test_the_guide(tmp_path: Path) -> None:
    """The TypeScript of the guide is one program, and compiles with the client of the guide's application."""
    tokens = MarkdownIt("commonmark").parse(GUIDE.read_text("utf-8"))
    blocks = {
        language: "\n".join(token.content for token in tokens if token.info == language)
        for language in ("python", "ts")
    }
    (tmp_path / "guide.py").write_text(blocks["python"], "utf-8")
    command = [str(Path(sys.executable).with_name("chanx")), "generate-client"]
    options = ["-s", "guide:app", "-o", "api", "--language", "typescript"]
    subprocess.run([*command, *options], cwd=tmp_path, check=True)
    (tmp_path / "guide.ts").write_text(blocks["ts"], "utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}')

    assert compile_in(tmp_path, *STRICTER, *LIBRARIES, "guide.ts") == ""


@pytest.fixture
def usage(tmp_path: Path) -> Path:
    """Return the client of the application that the JavaScript tests talk to, and a file that uses it."""
    export = """
import sys
sys.path.insert(0, "packages/chanx-asyncapi")
from chanx.asyncapi import publish, DocumentOptions
from chanx.fast_channels.discovery import discover_routes
from tests.script_client_app import application
sys.stdout.buffer.write(publish(discover_routes(application()), DocumentOptions()).content)
"""
    command = [sys.executable, "-c", export]
    document = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    place = written(document, tmp_path)
    shutil.copy(Path(__file__).with_name("typescript_usage.ts"), place / "usage.ts")
    return place


def test_the_types_of_a_client(usage: Path) -> None:
    assert compile_in(usage, *STRICTER, *LIBRARIES, "usage.ts") == ""


def test_the_compiler_finds_what_is_wrong(usage: Path) -> None:
    text = (usage / "usage.ts").read_text("utf-8")
    (usage / "usage.ts").write_text(text.replace("'staging'", "17"), "utf-8")

    assert "not assignable to parameter" in compile_in(usage, *LIBRARIES, "usage.ts")


def test_the_types_inside_the_runtime(tmp_path: Path) -> None:
    for name in ("runtime.js", "runtime.d.ts"):
        shutil.copy(RUNTIME / name, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')

    assert compile_in(tmp_path, "--checkJs", "--allowJs", *LIBRARIES, "runtime.js") == ""


def test_the_declared_types_are_those_of_the_runtime(tmp_path: Path) -> None:
    shutil.copy(RUNTIME / "runtime.js", tmp_path / "written.js")
    shutil.copy(RUNTIME / "runtime.js", tmp_path)
    shutil.copy(RUNTIME / "runtime.d.ts", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    check = """
import * as declared from './runtime.js';
import * as written from './written.js';
export const same: Omit<typeof declared, 'channel' | 'connect'> = written;
type Members<T> = Exclude<keyof T, `_${string}`>;
type Client = ReturnType<typeof declared.connect>;
export const client: Members<written.Client> | typeof Symbol.asyncDispose = null! as keyof Client;
export const topic: Members<written.Topic> | typeof Symbol.asyncDispose =
  null! as keyof declared.TopicOf<declared.TopicTypes>;
"""
    (tmp_path / "check.ts").write_text(check)

    assert compile_in(tmp_path, "--allowJs", *LIBRARIES, "check.ts") == ""
