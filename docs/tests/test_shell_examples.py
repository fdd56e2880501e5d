"""Every line of every shell block names what exists: packages and extras, sessions, programs, files and options.

What they do is tried elsewhere: the installations by `nox -s strangers`, the quick starts by `.ci/tests` and the tests
of the sandboxes, the tutorials by `test_tutorials.py`. A block with anything that cannot be checked here has a comment
in front that says why: `<!-- not run: why -->`.
"""

import itertools
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands
from markdown_it import MarkdownIt
from markdown_it.token import Token
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("packages/*/README.md"),
    *ROOT.glob("sandboxes/*/README.md"),
    *(path for path in ROOT.glob("docs/**/*.md") if "generated" not in path.parts),
]
# Data is parsed, and Python is run, by test_examples.py; HTML and INI are files of the projects that tutorials make.
# TypeScript and JavaScript are compiled by .ci/tests/test_typescript.py.
LANGUAGES = {"python", "json", "toml", "yaml", "sh", "html", "ini", "text", "ts", "js"}
NOT_RUN = re.compile(r"<!-- not run: .{10,} -->\s*")
LAUNCHER = re.compile(r"^(?:python3? -m |(?:\.\./\.\./)?\.uv/bin/)(?=pip |uv |pytest )")
MAKES_UV = "python3 -m venv .uv && .uv/bin/pip install uv"
MEMBERS = [*ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("sandboxes/*/pyproject.toml")]


def load(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


PROJECTS = {load(path)["project"]["name"]: load(path) for path in MEMBERS}
LOCKED = {package["name"] for package in load(ROOT / "uv.lock")["package"]}
NOXFILE = (ROOT / "noxfile.py").read_text(encoding="utf-8")
SESSIONS = set(
    re.findall(r'^def (\w+)\(session|^@nox\.session\(name="([\w-]+)"', NOXFILE, re.MULTILINE)
)
KNOWN_SESSIONS = {name for pair in SESSIONS for name in pair if name}


def blocks(page: Path) -> Iterator[Token]:
    """Yield the blocks that nothing in front of them explains."""
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    for before, token in pairwise([Token("", "", 0), *tokens]):
        if token.type in ("fence", "code_block") and not NOT_RUN.fullmatch(before.content):
            yield token


def commands(page: Path) -> Iterator[list[str]]:
    for block in blocks(page):
        if block.info != "sh":
            continue
        for line in block.content.splitlines():
            words = shlex.split(LAUNCHER.sub("", line), comments=True)
            yield from split_at(("&&", "|"), words)


def split_at(separators: tuple[str, ...], words: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for word in [*words, separators[0]]:
        if word not in separators:
            part.append(word)
        elif part:
            yield shlex.split(LAUNCHER.sub("", shlex.join(part)))
            part = []


def check_pip(words: list[str], folder: Path) -> None:
    action, *arguments = words
    if action == "wheel":
        *_, sources = arguments
        assert list(ROOT.glob(sources.removeprefix("~/chanx/") + "/pyproject.toml"))
        return
    assert action in ("install", "uninstall")
    places = {place for option, place in pairwise(arguments) if option == "--find-links"}
    wanted = [word for word in arguments if not word.startswith("-") and word not in places]
    for item in map(Requirement, wanted):
        if item.name in PROJECTS:
            assert item.extras <= PROJECTS[item.name]["project"]["optional-dependencies"].keys()
        else:
            assert item.name in LOCKED | {"chanx", "uv"}


def check_chanx(words: list[str], folder: Path) -> None:
    path = tuple(itertools.takewhile(str.isalpha, words))[:2]
    known = set(re.findall(r"--[\w-]+", usage(path)))
    assert {word for word in words if word.startswith("--")} <= known


@cache
def usage(path: tuple[str, ...]) -> str:
    """Return what a command says of itself, and fail where there is none."""
    command = [Path(sys.executable).with_name("chanx"), *path, "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_uv(words: list[str], folder: Path) -> None:
    action, *rest = words
    if action == "build":
        return
    assert action in ("sync", "run")
    groups = load(ROOT / "pyproject.toml")["dependency-groups"]
    while rest and rest[0].startswith("-"):
        option, value, *rest = rest
        if option == "--package":
            groups = PROJECTS[value].get("dependency-groups", {})
        else:
            assert option in ("--group", "--only-group")
            assert value in groups
    if rest:
        script = rest[0].endswith(".py")  # named from the root of the repository
        check(["python", *rest] if script else rest, ROOT if script else folder)


def check_nox(words: list[str], folder: Path) -> None:
    asked, *_ = split_at(("--",), words) if words else ([],)
    for word in asked:
        name = re.sub(r"(-3\.\d+)?(\(.*\))?$", "", word)
        assert word in ("-s", "-l") or name in KNOWN_SESSIONS


def check_python(words: list[str], folder: Path) -> None:
    first, *rest = words
    if first == "-m" and rest[0] != "venv":
        module = folder / rest[0].replace(".", "/")
        assert module.with_suffix(".py").exists() or (module / "__main__.py").exists()
    elif first == "manage.py":
        own = {path.stem for path in folder.glob("*/management/commands/*.py")}
        assert rest[0] in own | {*get_commands(), "collectstatic"}
    elif first.endswith(".py"):
        assert (folder / first).exists()


def check_pytest(words: list[str], folder: Path) -> None:
    for word in words:
        assert word.startswith("--cov=") or (folder / word).exists()


def accept(words: list[str], folder: Path) -> None:
    """Say nothing about programs of others."""


CHECKS: dict[str, Callable[[list[str], Path], None]] = {
    "chanx": check_chanx,
    "nox": check_nox,
    "pip": check_pip,
    "pytest": check_pytest,
    "python": check_python,
    "python3": check_python,
    "uv": check_uv,
    **dict.fromkeys([".", "cd", "echo", "export", "prek", "uvicorn"], accept),
}


def check(words: list[str], folder: Path) -> None:
    program, *arguments = words
    assert program in CHECKS, "say in a comment why it cannot be checked"
    CHECKS[program](arguments, folder)


def uv_errors(text: str) -> list[str]:
    """Return the lines that install or use uv in a way that does not work on every system.

    The Python of a distribution refuses `pip install` outside a virtual environment.
    """
    lines = text.splitlines()
    made = [number for number, line in enumerate(lines) if MAKES_UV in line]
    return [
        line
        for number, line in enumerate(lines)
        if "pip install uv" in line.replace(MAKES_UV, "")
        or "-m uv " in line
        or (".uv/bin/uv " in line and not any(first <= number for first in made))
    ]


def each_page() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page()
def test_what_is_typed_names_what_exists(page: Path) -> None:
    folder = page.parent if "sandboxes" in page.parts or "tutorials" in page.parts else ROOT
    for words in commands(page):
        assert check(words, folder) is None, words


@each_page()
def test_uv_comes_from_an_environment_that_the_page_makes(page: Path) -> None:
    assert uv_errors(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "python3 -m pip install uv && .uv/bin/uv run pytest",
        "python3 -m pip install uv && python3 -m uv run pytest",
        ".uv/bin/uv run pytest",
        f".uv/bin/uv run pytest\n{MAKES_UV}",
    ],
)
def test_a_uv_that_not_everybody_has_is_found(text: str) -> None:
    assert uv_errors(text)


@each_page()
def test_no_block_is_in_a_language_that_nobody_checks(page: Path) -> None:
    assert {block.info for block in blocks(page)} <= LANGUAGES


@each_page()
def test_files_of_other_languages_are_in_pages_whose_projects_are_made(page: Path) -> None:
    # A browser opens the page of the client's guide, in the tests of chanx-asyncapi.
    made = "tutorials" in page.parts or page.name in ("testing.md", "typescript-client.md")

    assert made or not {block.info for block in blocks(page)} & {"html", "ini"}


@pytest.mark.parametrize(
    "line",
    [
        "pip install chanx-cor",
        'pip install "chanx-core[cli]"',
        "pip install no-such-thing",
        "pip wheel --no-deps --wheel-dir dist ~/chanx/package/*",
        "chanx asyncapi exprot shop",
        "chanx asyncapi export shop --outptu x",
        "uv run --only-group noxx nox",
        "uv run --package sandbox-fast sandboxes/fastapi/sandbox_fastapi/start_dev.py",
        "uv run --package sandbox-fastapi sandboxes/fastapi/sandbox_fastapi/start.py",
        "uv run nox -s lnit",
        "uv run nox -s lint typign -- -x",
        "python -m sandbox_fastapi.clientt",
        "python manage.py colectstatic",
        "pytest no/such/folder",
        "docker compose up",
    ],
)
def test_what_does_not_exist_is_found(line: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        check(shlex.split(line), ROOT)
