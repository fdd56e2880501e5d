"""The page in a real browser."""

import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from sandbox_fastapi.tests.support import START_DEV, Demo, Program

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


async def test_two_tabs_see_each_other(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    """Messages, notices and errors, as text and never as markup."""
    complaints: list[str] = []
    ada = await open_tab(browser, demo.http, complaints)
    grace = await open_tab(browser, demo.http, complaints)
    await join(ada, "Ada", "the lobby")
    await join(grace, "Grace", "the lobby")
    await expect(ada.locator(".notice")).to_have_text(["You joined the lobby", "Grace joined"])

    await say(ada, "Hello <b>Grace</b>")
    await say(grace, "Hello Ada")

    await expect(grace.locator(".message:not(.own) .text")).to_have_text("Hello <b>Grace</b>")
    await expect(grace.locator(".message:not(.own) b")).to_have_text("Ada")
    await expect(ada.locator(".message:not(.own) .text")).to_have_text("Hello Ada")
    await expect(ada.locator(".message.own .text")).to_have_text("Hello <b>Grace</b>")

    await ada.get_by_label("Message", exact=True).evaluate("field => field.maxLength = 9999")
    await say(ada, "x" * 2001)
    await expect(ada.locator(".problem")).to_contain_text("at most 2000 characters")

    await grace.get_by_role("button", name="Leave").click()
    await expect(grace.get_by_role("status")).to_have_text("Not connected")
    await expect(ada.locator(".notice").last).to_have_text("Grace left")
    await ada.screenshot(path=tmp_path / "ada.png")
    assert complaints == []


async def test_it_comes_back_after_a_restart(demo: Demo, browser: Browser) -> None:
    """A draft survives, and the room is joined again."""
    tab = await open_tab(browser, f"{demo.http}/?room=lobby&name=Ada", [])
    await expect(tab.get_by_role("status")).to_have_text("Connected")
    await tab.get_by_label("Message", exact=True).fill("a draft")

    await demo.program.stop()
    await expect(tab.get_by_role("status")).to_contain_text("Reconnecting")
    await expect(tab.get_by_role("button", name="Send")).to_be_disabled()
    async with Program.run(sys.executable, str(START_DEV), "--port", str(demo.port)):
        await expect(tab.get_by_role("status")).to_have_text("Connected", timeout=20_000)
        await tab.get_by_role("button", name="Send").click()

        await expect(tab.locator(".own .text")).to_have_text("a draft")
        await expect(tab.locator(".notice").last).to_have_text("You are back in lobby")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
async def test_it_fits_every_window(
    demo: Demo, browser: Browser, scheme: str, width: int, tmp_path: Path
) -> None:
    """Nothing is cut off or scrolls sideways, however long the words."""
    tab = await browser.new_page(
        viewport={"width": width, "height": 640},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    await tab.goto(f"{demo.http}/?room=lobby&name=Ada")
    await expect(tab.get_by_role("status")).to_have_text("Connected")
    await say(tab, "long " * 40 + "w" * 300)

    await expect(tab.locator(".own .text")).to_contain_text("www")
    overflow = await tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
    await tab.screenshot(path=tmp_path / f"{scheme}-{width}.png")
