"""The documents of the sandboxes and of the torture application, held against AsyncAPI's own parser.

The session `parser` installs it and says where; without it these tests are skipped.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from documents import SOURCES

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = os.environ.get("ASYNCAPI_PARSER")
# What the parser says about every document that is not of the newest version.
NOT_THE_LATEST = "asyncapi-latest-version"

pytestmark = [
    pytest.mark.skipif(INSTALLED is None, reason="AsyncAPI's parser is not installed"),
    pytest.mark.timeout(180),
]


def node(*files: Path) -> dict[str, list[dict[str, Any]]]:
    """Ask the parser about some files, in one process."""
    script = Path(INSTALLED or "") / "validate.mjs"
    command = ["node", str(script), *map(str, files)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("documents")
    written = {name: place / f"{name}.json" for name in SOURCES}
    for name, (folder, command) in SOURCES.items():
        done = subprocess.run(command, cwd=ROOT / folder, check=True, capture_output=True)
        written[name].write_bytes(done.stdout)
    return written


@pytest.fixture(scope="module")
def diagnostics(documents: dict[str, Path]) -> dict[str, list[dict[str, Any]]]:
    found = node(*documents.values())
    return {name: found[str(path)] for name, path in documents.items()}


@pytest.mark.parametrize("name", SOURCES)
def test_the_parser_has_nothing_to_say(
    name: str, documents: dict[str, Path], diagnostics: dict[str, list[dict[str, Any]]]
) -> None:
    expected = [NOT_THE_LATEST] if name.endswith("3.0.0") else []

    assert [item["code"] for item in diagnostics[name]] == expected
    assert {item["severity"] for item in diagnostics[name]} <= {"info"}
    document = json.loads(documents[name].read_text(encoding="utf-8"))
    assert document["asyncapi"] == name.rpartition("-")[2]
    assert document["channels"]
    assert document["operations"]


def test_the_parser_finds_what_is_wrong(documents: dict[str, Path], tmp_path: Path) -> None:
    document = json.loads(documents["torture-3.1.0"].read_text(encoding="utf-8"))
    document["operations"]["handle_order"]["action"] = "fly"
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(document))

    assert "error" in {item["severity"] for item in node(bad)[str(bad)]}


@pytest.mark.skipif("VALIDATOR_BUILD" not in os.environ, reason="nothing to build it from")
def test_the_pages_validator_is_the_librarys() -> None:
    place = Path(os.environ["VALIDATOR_BUILD"])
    subprocess.run(["npm", "run", "--silent", "build"], cwd=place, check=True)
    shipped = ROOT / "packages/chanx-asyncapi/src/chanx/asyncapi/docs/assets/validator.js"

    assert (place / "validator.js").read_bytes() == shipped.read_bytes()
