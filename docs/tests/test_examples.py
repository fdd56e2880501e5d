"""Every Python block of the READMEs runs, one file as one program, and the tests in it pass."""

import inspect
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import cast

import django
import pytest
from django.conf import settings
from fast_channels.layers import channel_layers
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", *sorted(ROOT.glob("packages/*/README.md"))]


@pytest.fixture(autouse=True)
def clean_process() -> Iterator[None]:
    """Configure Django once, and forget the layers that an example registers."""
    if not settings.configured:
        settings.configure(INSTALLED_APPS=["channels", "chanx.channels"], SECRET_KEY="example")
        django.setup()
    yield
    channel_layers.clear()


@pytest.mark.parametrize("readme", READMES, ids=[path.parent.name for path in READMES])
async def test_readme(readme: Path) -> None:
    """Blocks of one file build on each other."""
    blocks = [
        token.content
        for token in MarkdownIt().parse(readme.read_text())
        if token.type == "fence" and token.info == "python"
    ]
    assert blocks
    module = ModuleType(f"example_of_{readme.parent.name.replace('-', '_')}")
    sys.modules[module.__name__] = module
    exec(compile("\n".join(blocks), str(readme), "exec"), vars(module))
    for name, test in list(vars(module).items()):
        if name.startswith("test_") and inspect.iscoroutinefunction(test):
            await cast("Callable[[], Awaitable[None]]", test)()
