"""The documentation page in a real browser, talking to the running project."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright, expect

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


async def test_the_page_talks_to_what_it_documents(served: Served, browser: Browser) -> None:
    """The example of a message is sent to a room, and what comes back is what the document says."""
    complaints: list[str] = []
    asked: list[str] = []
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    await page.goto(f"{served.http}/asyncapi/docs/")
    room = page.locator("#channel-room_chat")
    await room.get_by_role("button", name="Try it").click()
    await room.get_by_label("room_name in the address").fill("lobby")
    await room.get_by_role("button", name="Connect", exact=True).click()
    await expect(room.get_by_role("status")).to_have_text("Connected")
    await room.get_by_label("Message", exact=True).select_option("room_chat (RoomChatMessage)")
    await room.get_by_role("button", name="Send").click()

    heard = room.locator(".traffic li.in", has_text="room_notification")
    await expect(heard.filter(has_text="lobby").first).to_be_visible()
    await expect(room.locator(".traffic .wrong")).to_have_count(0)
    assert complaints == []
    assert all(address.startswith(served.http) for address in asked)
