"""The documentation page in a real browser, talking to the running application."""

import json
import os
import shutil
import sys
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from sandbox_fastapi.tests.support import START_DEV, Demo, Program

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

# Control actions: ignored where there is no stream under their reference.
UNANSWERED = ("cancel ", "more ")
# The page takes longer to judge and show an item than the server takes to send it.
FEW_ITEMS = '{"action": "check_files", "payload": null, "window": 8}'


class Watched:
    """The page, with what its browser complains about and asks for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on(
            "console",
            lambda said: (
                self.complaints.append(said.text) if said.type in ("error", "warning") else None
            ),
        )

    async def trial(self, channel: str) -> Locator:
        """Open a channel's place to try it."""
        section = self.page.locator(f"#channel-{channel}")
        await section.get_by_role("button", name="Try it").click()
        return section


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        await chromium.close()


@pytest.fixture
async def docs(demo: Demo, browser: Browser) -> Watched:
    """The documentation page of the running demo."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    watched = Watched(await context.new_page())
    await watched.page.goto(f"{demo.http}/asyncapi")
    return watched


async def connect(trial: Locator) -> None:
    """Connect a channel."""
    await trial.get_by_role("button", name="Connect", exact=True).click()
    await expect(trial.get_by_role("status")).to_have_text("Connected")


async def subscribe(trial: Locator) -> None:
    """Subscribe to the topic of a channel, if it is one; rooms want a name first."""
    if not await trial.get_by_role("form", name="Topic").count():
        return
    await trial.get_by_label("Message", exact=True).select_option("introduce (IntroduceMessage)")
    await trial.get_by_role("button", name="Send").click()
    await expect(trial.locator(".traffic li.in .name", has_text="introduced")).to_be_visible()
    await trial.get_by_role("button", name="Subscribe", exact=True).click()
    await expect(trial.locator(".topic-state")).to_have_text("Subscribed")


async def test_a_message_and_its_answer(demo: Demo, docs: Watched) -> None:
    """Typed traffic with direction, name, latency and nothing that the document does not say."""
    room = await docs.trial("room_chat")
    await room.get_by_label("room_name in the path").fill("the lobby")
    await expect(room.locator(".url")).to_have_text(
        f"ws://127.0.0.1:{demo.port}/ws/room/the%20lobby"
    )
    await connect(room)
    await room.get_by_label("Message", exact=True).select_option("ping (PingMessage)")
    await room.get_by_role("button", name="Send").click()

    log = room.get_by_role("log")
    await expect(log.locator("li.out .name")).to_have_text("ping")
    await expect(log.locator("li.in .name", has_text="pong")).to_be_visible()
    answer = log.locator("li.in", has=docs.page.locator(".name", has_text="pong"))
    assert float((await answer.locator(".latency").inner_text()).removesuffix(" ms")) > 0
    await answer.locator("summary").click()
    await answer.get_by_role("button", name="Copy").click()
    copied = json.loads(await docs.page.evaluate("navigator.clipboard.readText()"))
    assert (copied["action"], copied["ref"]) == ("pong", "1")
    assert docs.complaints == []
    assert all(address.startswith(demo.http) for address in docs.asked)


async def test_every_example_of_every_channel(docs: Watched) -> None:
    """Whatever comes back is what the document says."""
    await docs.page.evaluate(
        "document.querySelectorAll('.trial > button').forEach(button => button.click())"
    )
    channels = await docs.page.locator(".channel").all()
    for channel in channels:
        for parameter in await channel.locator(".connection input[required]").all():
            await parameter.fill("lobby")
        await connect(channel)
        await subscribe(channel)
        kinds = channel.get_by_label("Message", exact=True)
        for kind in await kinds.locator("option").all():
            await kinds.select_option(await kind.get_attribute("value"))
            if (await kind.inner_text()).startswith("check_files "):
                await channel.get_by_label("Frame").fill(FEW_ITEMS)
            # Those that give credit to a running stream stand under its message.
            sent_by_hand = channel.locator(".traffic > ol > li.out")
            sent = await sent_by_hand.count()
            answers = channel.locator(".traffic li.in .latency")
            answered = await answers.count()
            await channel.get_by_role("button", name="Send").click()
            await expect(sent_by_hand).to_have_count(sent + 1)
            if not (await kind.inner_text()).startswith(UNANSWERED):
                await expect(answers.nth(answered)).to_be_visible()

    assert len(channels) == 9 + 3  # the topics of the hub
    await expect(docs.page.locator(".traffic li.in")).not_to_have_count(0)
    await expect(docs.page.locator(".traffic .wrong")).to_have_count(0)
    assert docs.complaints == []


async def test_what_is_wrong_is_marked_and_can_be_filtered(docs: Watched) -> None:
    """A frame that is not in the document, what the server says to it, and the filters."""
    system = await docs.trial("system")
    await connect(system)
    await system.get_by_label("Frame").fill('{"action": "<b>nothing</b>"}')
    await system.get_by_label("Frame").press("Control+Enter")
    lines = system.locator(".traffic li")

    await expect(lines.filter(has_text="not as documented")).to_have_count(1)
    await expect(system.locator("li.in .name", has_text="error")).to_be_visible()
    await expect(system.locator(".traffic b")).to_have_count(0)
    await system.get_by_label("Direction").select_option("Received")
    await expect(system.locator(".traffic li.out:visible")).to_have_count(0)
    await expect(system.locator(".traffic li.in:visible")).not_to_have_count(0)
    await system.get_by_label("Direction").select_option("Sent and received")
    await system.get_by_label("Errors only").check()
    await expect(system.locator(".traffic ol > li:visible")).to_have_count(1)
    await system.get_by_label("Errors only").uncheck()
    await system.get_by_label("Filter", exact=True).fill("union_tag_invalid")
    await expect(system.locator(".traffic ol > li:visible")).to_have_count(1)
    await system.get_by_role("button", name="Clear").click()
    await expect(lines).to_have_count(0)


async def test_it_reconnects_when_the_server_is_back(demo: Demo, docs: Watched) -> None:
    """Until somebody disconnects."""
    system = await docs.trial("system")
    await system.get_by_label("Reconnect automatically").check()
    await connect(system)

    await demo.program.stop()
    await expect(system.get_by_role("status")).to_have_text("Reconnecting…")
    await expect(system.get_by_role("button", name="Send")).to_be_disabled()
    async with Program.run(sys.executable, str(START_DEV), "--port", str(demo.port)):
        await expect(system.get_by_role("status")).to_have_text("Connected", timeout=30_000)
        await system.get_by_role("button", name="Disconnect").click()
        await expect(system.get_by_role("status")).to_have_text("Not connected")
        await expect(system.get_by_role("log")).to_contain_text("Closed: code 1000")
