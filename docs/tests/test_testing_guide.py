"""The guide to testing is true: its projects are written to disk as it shows them, and their tests pass."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

PAGE = Path(__file__).parents[1] / "how-to" / "testing.md"
TIME_LIMIT = 50


def projects() -> dict[str, dict[str, str]]:
    """Return the files of each project, by the comment that names them; sections behind belong to the last one."""
    found: dict[str, dict[str, str]] = {}
    current = ""
    tokens = MarkdownIt().parse(PAGE.read_text(encoding="utf-8"))
    for number, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            title = tokens[number + 1].content
            current = title.removeprefix("On ") if title.startswith("On ") else current
        if token.type == "fence" and token.info in ("python", "ini"):
            named = re.match(r"# (\S+)\n", token.content)
            assert named, f"A block of {PAGE.name} does not name its file:\n{token.content}"
            assert (
                found.setdefault(current, {}).setdefault(named[1], token.content) is token.content
            )
    return found


PROJECTS = projects()


def test_there_is_a_project_for_each_framework() -> None:
    assert list(PROJECTS) == ["FastAPI", "Django"]


@pytest.mark.parametrize("name", PROJECTS)
def test_the_project_passes(name: str, tmp_path: Path) -> None:
    for file, content in PROJECTS[name].items():
        (tmp_path / file).write_text(content, encoding="utf-8")
    shown = sum(len(re.findall(r"def test_", content)) for content in PROJECTS[name].values())

    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-W",
            "error::ResourceWarning",
        ],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr
    passed = re.search(r"(\d+) passed", finished.stdout)
    assert passed, finished.stdout
    assert int(passed[1]) >= shown > 5
    assert not re.search(r"failed|error|skipped", finished.stdout)
