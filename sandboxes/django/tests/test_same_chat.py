"""The chat is the one of the FastAPI sandbox: nothing but the framework differs."""

import ast
from pathlib import Path

import pytest

from tests.support import FASTAPI_SANDBOX, SANDBOX

THERE = FASTAPI_SANDBOX / "sandbox_fastapi"
HERE = SANDBOX / "chat"


def methods(module: Path) -> dict[str, str]:
    """Return the text of each method of the consumer, decorators included."""
    source = module.read_text(encoding="utf-8")
    (consumer,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    lines = source.splitlines()
    return {
        method.name: "\n".join(lines[first_line(method) - 1 : method.end_lineno])
        for method in consumer.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def first_line(method: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return where a method begins."""
    return min([method.lineno, *(decorator.lineno for decorator in method.decorator_list)])


def test_the_consumers_have_the_same_methods() -> None:
    """Word for word; there, the ping is answered by the base of all consumers."""
    here = methods(HERE / "consumers.py")
    there = methods(THERE / "apps" / "room_chat" / "consumer.py")

    assert here == {**there, "handle_ping": here["handle_ping"]}
    assert "handle_room_chat" in there


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("messages.py", "apps/room_chat/messages.py"),
        ("static/chat/icon.svg", "static/icon.svg"),
    ],
)
def test_the_files_are_the_same(here: str, there: str) -> None:
    """The messages above all; the page of the other sandbox has more on it."""
    assert (HERE / here).read_bytes() == (THERE / there).read_bytes()
