"""The page without a build step that the guide shows, in a real browser, under the policy that the guide gives."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .browsing import NEEDS_CHROMIUM, chromium, open_tab, playwright, served

GUIDE = Path(__file__).parents[3] / "docs/how-to/typescript-client.md"

pytestmark = [
    *NEEDS_CHROMIUM,
    pytest.mark.skipif(not GUIDE.exists(), reason="the documentation is not here"),
]


def blocks(language: str) -> str:
    found = re.findall(
        rf"^```{language}\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return "\n".join(found)


# Any: FastAPI's application, which this package does not depend on.
def application() -> Any:
    """Return the application of the guide, with its page and the script of the page."""
    pytest.importorskip("fastapi", reason="there is no FastAPI")
    from starlette.requests import Request
    from starlette.responses import Response

    module = ModuleType("guide_of_the_browser_client")
    sys.modules[module.__name__] = module
    exec(compile(blocks("python"), str(GUIDE), "exec"), vars(module))
    name, _, policy = blocks("text").splitlines()[-1].partition(": ")
    html = f'<!doctype html><link rel="icon" href="data:,">{blocks("html")}'

    async def page(request: Request) -> Response:
        return Response(html, media_type="text/html", headers={name: f"{policy}; img-src data:"})

    async def script(request: Request) -> Response:
        return Response(blocks("js"), media_type="text/javascript")

    module.app.add_route("/", page)
    module.app.add_route("/static/chat.js", script)
    return module.app


async def test_the_page_of_the_guide() -> None:
    with served(application()) as address:
        async with chromium() as browser:
            tab = await open_tab(browser, address)
            await tab.page.locator("input").fill("a b c")
            await tab.page.keyboard.press("Enter")
            await playwright.expect(tab.page.locator("#answer")).to_have_text("a b c")

            assert tab.complaints == []
