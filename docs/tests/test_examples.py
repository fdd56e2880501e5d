"""Every Python block of the READMEs and guides runs, one file as one program, and the tests in it pass."""

import inspect
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import cast

import django
import pytest
import structlog
from django.conf import settings
from fast_channels.layers import channel_layers
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", *sorted(ROOT.glob("packages/*/README.md"))]
GUIDES = sorted(
    path
    for path in (ROOT / "docs" / "how-to").rglob("*.md")
    if "```python" in path.read_text("utf-8")
    and path.name != "testing.md"  # run by pytest itself: test_testing_guide.py
)
PAGES = {str(path.relative_to(ROOT)): path for path in [*READMES, *GUIDES]}


@pytest.fixture(autouse=True)
def clean_process() -> Iterator[None]:
    """Configure Django once, and forget the layers and the logging of an example."""
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
    structlog.reset_defaults()


@pytest.mark.parametrize("page", PAGES)
async def test_page(page: str) -> None:
    """Blocks of one file build on each other."""
    blocks = [
        token.content
        for token in MarkdownIt().parse(PAGES[page].read_text(encoding="utf-8"))
        if token.type == "fence" and token.info == "python"
    ]
    assert blocks
    module = ModuleType("example_of_" + re.sub(r"\W", "_", page))
    sys.modules[module.__name__] = module
    exec(compile("\n".join(blocks), page, "exec"), vars(module))
    for name, test in list(vars(module).items()):
        if name.startswith("test_") and inspect.iscoroutinefunction(test):
            await cast("Callable[[], Awaitable[None]]", test)()
