"""A real browser for tests of the documentation page."""

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

__all__ = ["NEEDS_CHROMIUM", "Watched", "chromium", "open_tab", "playwright"]

# Any: it is not there where the tests of this package run alone.
playwright: Any = pytest.importorskip("playwright.async_api", reason="there is no Playwright")

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@asynccontextmanager
async def chromium(*flags: str) -> AsyncGenerator[Any]:
    """Run a headless Chromium."""
    async with playwright.async_playwright() as running:
        arguments = ["--no-sandbox", *flags]
        browser = await running.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        await browser.close()


class Watched:
    """A tab, with what its browser complains about and asks for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("pageerror", self._on_error)
        page.on("console", self._on_console)
        page.on("request", self._on_request)
        page.on("dialog", self._on_dialog)

    def _on_error(self, error: object) -> None:
        self.complaints.append(str(error))

    def _on_console(self, line: Any) -> None:
        if line.type in ("error", "warning"):
            self.complaints.append(line.text)

    def _on_request(self, request: Any) -> None:
        self.requests.append(request.url)

    def _on_dialog(self, dialog: Any) -> None:
        self.complaints.append(dialog.message)


async def open_tab(browser: Any, address: str, **options: Any) -> Watched:
    """Open an address in a tab of its own."""
    watched = Watched(
        await browser.new_page(**{"viewport": {"width": 1280, "height": 800}, **options})
    )
    await watched.page.goto(address)
    return watched
