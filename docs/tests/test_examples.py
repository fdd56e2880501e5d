"""Every Python block of the READMEs and pages runs, one file as one program, and the tests in it pass.

A block that shows a part of something has a comment in front that says why it does not run: `<!-- not run: why -->`.
Data is parsed. What is typed into a shell is checked by test_shell_examples.py. The tutorials, whose blocks are files
of a project, have tests of their own.
"""

import inspect
import json
import re
import sys
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import cast

import django
import pytest
import yaml
from django.conf import settings
from fast_channels.layers import channel_layers
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", *sorted(ROOT.glob("packages/*/README.md"))]
GUIDES = sorted(
    path
    for path in (ROOT / "docs").rglob("*.md")
    if not {"tutorials", "generated"} & set(path.relative_to(ROOT).parts)
)
PAGES = {str(path.relative_to(ROOT)): path for path in [*READMES, *GUIDES]}
TUTORIALS = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("docs/tutorials/*.md"))]
NOT_RUN = re.compile(r"<!-- not run: .{10,} -->\s*")


def fences(page: Path, *languages: str) -> list[Token]:
    """Return the blocks in these languages, but those that say why they are not run."""
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    return [
        token
        for before, token in pairwise([Token("", "", 0), *tokens])
        if token.type == "fence"
        and token.info in languages
        and not NOT_RUN.fullmatch(before.content)
    ]


# Tests of their own run these: test_testing_guide.py, test_logging_page.py.
ELSEWHERE = ("docs/how-to/testing.md", "docs/how-to/logging.md")
RUNNING = [page for page, path in PAGES.items() if fences(path, "python") and page not in ELSEWHERE]


@pytest.fixture(autouse=True)
def clean_process() -> Iterator[None]:
    """Configure Django once, and forget the layers of an example."""
    if not settings.configured:
        settings.configure(
            INSTALLED_APPS=[
                "django.contrib.auth",
                "django.contrib.contenttypes",
                "django.contrib.sessions",
                "rest_framework",
                "rest_framework.authtoken",
                "channels",
                "chanx.channels",
            ],
            SECRET_KEY="an example, and long enough for tokens",
        )
        django.setup()
    yield
    channel_layers.clear()


@pytest.mark.parametrize("page", RUNNING)
async def test_page(page: str) -> None:
    """Blocks of one file build on each other."""
    source = "\n".join(fence.content for fence in fences(PAGES[page], "python"))
    module = ModuleType("example_of_" + re.sub(r"\W", "_", page))
    sys.modules[module.__name__] = module
    exec(compile(source, page, "exec"), vars(module))
    for name, test in list(vars(module).items()):
        if name.startswith("test_") and inspect.iscoroutinefunction(test):
            await cast("Callable[[], Awaitable[None]]", test)()


@pytest.mark.parametrize("page", [*PAGES, *TUTORIALS])
def test_data_is_well_formed(page: str) -> None:
    path = ROOT / page
    for fence in fences(path, "json"):
        json.loads(fence.content)
    for fence in fences(path, "toml"):
        tomllib.loads(fence.content)
    for fence in fences(path, "yaml"):
        list(yaml.safe_load_all(fence.content))
