"""What the workflows run is the same tomorrow."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted(ROOT.glob(".github/**/*.yml"))
PINNED = ROOT / ".ci" / "uv" / "requirements.txt"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_installs_from_the_index_by_hash_only(workflow: Path) -> None:
    """A wheel that the workflow itself has built has no hash yet."""
    text = workflow.read_text(encoding="utf-8")
    installs = re.findall(r"(?<!uv )pip install .*", text)
    free = [line for line in installs if "dist/*.whl" not in line]

    assert [line for line in free if "--require-hashes --requirement .ci/uv/" not in line] == []


def test_the_uv_of_the_workflows_is_one_that_the_project_allows() -> None:
    text = PINNED.read_text(encoding="utf-8")
    versions = re.findall(r"^uv==(\S+)", text, re.MULTILINE)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert len(versions) == 1
    assert f"echo uv=={versions[0]} |" in text
    assert "--hash=sha256:" in text
    assert versions[0] in SpecifierSet(settings["tool"]["uv"]["required-version"])
