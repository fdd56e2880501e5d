"""The page in a real browser."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support import Served

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        await chromium.close()


async def open_tab(browser: Browser, address: str, complaints: list[str]) -> Page:
    """Open the page in a tab of its own; what the browser complains about is collected."""
    page = await browser.new_page(viewport={"width": 900, "height": 640})
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    await page.goto(address)
    return page


async def join(page: Page, name: str, room: str) -> None:
    """Fill in the form as a person would, and wait until the room is joined."""
    await page.get_by_label("Your name").fill(name)
    await page.get_by_label("Room", exact=True).fill(room)
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("status")).to_have_text("Connected")


async def say(page: Page, text: str) -> None:
    """Write a message and send it with Enter."""
    await page.get_by_label("Message", exact=True).fill(text)
    await page.keyboard.press("Enter")


async def test_two_tabs_see_each_other(served: Served, browser: Browser, tmp_path: Path) -> None:
    """Messages and notices, as text and never as markup."""
    complaints: list[str] = []
    ada = await open_tab(browser, served.http, complaints)
    grace = await open_tab(browser, served.http, complaints)
    await join(ada, "Ada", "the lobby")
    await join(grace, "Grace", "the lobby")
    await expect(ada.locator(".notice")).to_have_text(["You joined the lobby", "Grace joined"])

    await say(ada, "Hello <b>Grace</b>")
    await say(grace, "Hello Ada")

    await expect(grace.locator(".message:not(.own) .text")).to_have_text("Hello <b>Grace</b>")
    await expect(ada.locator(".message:not(.own) .text")).to_have_text("Hello Ada")
    await expect(ada.locator(".message.own .text")).to_have_text("Hello <b>Grace</b>")
    await ada.screenshot(path=tmp_path / "ada.png")
    assert complaints == []
