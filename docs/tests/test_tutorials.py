"""The projects that the tutorials build: their files are written, checked, tested and served as a reader would."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

TUTORIALS = Path(__file__).parents[1] / "tutorials"
FILE = re.compile(r"`([\w/]+\.\w+)`")
SERVING = 30.0  # seconds for a server to start


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The files of a tutorial: a block is the one that the sentence in front of it ends with."""
    tokens = MarkdownIt("commonmark").parse((TUTORIALS / request.param).read_text(encoding="utf-8"))
    name = None
    for token in tokens:
        if token.type == "fence" and token.info != "sh":
            assert name, f"no sentence says which file this is: {token.content[:80]}"
            write(tmp_path / name, token.content)
        name = None if token.type == "fence" else named(token.content) or name
    return tmp_path


def named(sentence: str) -> str | None:
    """Return the file that a sentence ends with."""
    found = re.search(FILE.pattern + r":\Z", sentence) or re.search(
        r"in `(pytest\.ini)`:", sentence
    )
    return found[1] if found else None


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.name == "chat":
        (path.parent / "__init__.py").touch()
    path.write_text(content, encoding="utf-8")


def run(project: Path, *command: str) -> None:
    """Run Python in the project, and fail with what it says."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DJANGO")}
    done = subprocess.run(
        [sys.executable, *command], cwd=project, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def served(project: Path, *command: str) -> Iterator[str]:
    """Serve the project on a free port until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    full = [part.format(port=port) for part in command]
    with subprocess.Popen([sys.executable, *full], cwd=project) as server:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def page(url: str) -> str:
    """Return the page at an address, once it is served."""
    deadline = time.monotonic() + SERVING
    while True:
        try:
            with urllib.request.urlopen(url, timeout=SERVING) as answer:
                return str(answer.read().decode())
        except OSError:  # URLError is one
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.mark.parametrize("project", ["fastapi.md"], indirect=True)
def test_fastapi(project: Path) -> None:
    run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    with served(project, "-m", "uvicorn", "main:app", "--port", "{port}") as url:
        assert "<title>Chat</title>" in page(url)
        assert '"room"' in page(f"{url}/asyncapi.json")


@pytest.mark.parametrize("project", ["django.md"], indirect=True)
def test_django(project: Path) -> None:
    run(project, "-W", "error", "manage.py", "check")
    run(project, "manage.py", "test")
    run(project, "manage.py", "migrate")
    serve = ("manage.py", "runserver", "--noreload", "127.0.0.1:{port}")
    with served(project, *serve) as url:
        assert '<form method="post">' in page(url)
        assert "/ws/{room}/" in page(f"{url}/asyncapi/schema/")
