"""Every test that the page about reliability names exists, and the limits on it are the defaults."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from chanx.core.limits import DEFAULT_LIMITS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(\w+(?:\.py)?)::(\w+)`", PAGE)))
FOLDERS = ("packages/*/tests", "sandboxes/servers")
CONFORMANCE = ROOT / "conformance"


@cache
def functions_of(file: str) -> frozenset[str]:
    """Return the names of the functions in the files of that name, or in all conformance tests."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files_of(file)]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(
        node.name for tree in trees for node in ast.walk(tree) if isinstance(node, functions)
    )


def files_of(file: str) -> list[Path]:
    if file == "conformance":
        return list(CONFORMANCE.rglob("*.py"))
    return [path for folder in FOLDERS for place in ROOT.glob(folder) for path in place.rglob(file)]


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_named_tests_exist(file: str, test: str) -> None:
    """So that no promise loses its proof."""
    assert test in functions_of(file)


def test_every_promise_has_a_test() -> None:
    """Each row of the tables of promises names at least one."""
    promises = PAGE[PAGE.index("## Promises") :]
    rows = [line for line in promises.splitlines() if re.match(r"\| [^|-]", line)]
    without = [row for row in rows if "::" not in row and not row.startswith("| promise |")]
    assert len(rows) > 40
    assert without == []


def test_limits_are_the_defaults() -> None:
    """The table of limits says what the code does."""
    for name, text in {
        "max_message_bytes": f"{DEFAULT_LIMITS.max_message_bytes // 1024} KiB"
        if DEFAULT_LIMITS.max_message_bytes
        else "none",
        "max_json_depth": str(DEFAULT_LIMITS.max_json_depth),
        "message_concurrency": str(DEFAULT_LIMITS.message_concurrency),
        "max_in_flight": str(DEFAULT_LIMITS.max_in_flight),
        "max_pending": str(DEFAULT_LIMITS.max_pending),
        "handler_timeout": "none" if DEFAULT_LIMITS.handler_timeout is None else "?",
        "authentication_timeout": f"{DEFAULT_LIMITS.authentication_timeout:g} s",
        "event_queue": str(DEFAULT_LIMITS.event_queue),
        "send_timeout": f"{DEFAULT_LIMITS.send_timeout:g} s",
        "layer_timeout": f"{DEFAULT_LIMITS.layer_timeout:g} s",
    }.items():
        assert f"| `{name}` | {text} |" in PAGE
