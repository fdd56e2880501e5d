"""The page in a real browser."""

import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import (
    Browser,
    Locator,
    Page,
    WebSocketRoute,
    async_playwright,
    expect,
)

from sandbox_fastapi.tests.support import START_DEV, Demo, Program, finished

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
SENDER = (sys.executable, str(START_DEV.with_name("external_sender.py")))
WINDOW = 32  # of a stream on the page
UNAVAILABLE = {"reason": "unavailable", "detail": "Try again later"}
RETRY_AFTER = 5_000  # ms
# Collects the values that the bar of the file check shows.
WATCH_BAR = """() => {
    const bar = document.querySelector("[data-panel=files] progress");
    window.shown = [];
    new MutationObserver(() => bar.position > 0 && shown.push(bar.value)).observe(bar, {attributeFilter: ["value"]});
}"""
# What is wider than its place: the page, or a panel, which would cut the rest off.
TOO_WIDE = """() => [...document.querySelectorAll("html, .panel")]
    .filter(({scrollWidth, clientWidth}) => scrollWidth > clientWidth)
    .map(({tagName, dataset}) => dataset.panel ?? tagName)"""
SHOWCASE = ["Chat", "Reliable chat", "Notifications", "Analytics"]

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
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    await page.goto(address)
    return page


def panel(page: Page, name: str) -> Locator:
    """Return one panel of the page."""
    return page.get_by_role("region", name=name, exact=True)


async def connected(page: Page, name: str) -> Locator:
    """Return a panel that is connected."""
    found = panel(page, name)
    await expect(found.get_by_role("status")).to_have_text("Connected")
    return found


async def join(page: Page, name: str, room: str) -> Locator:
    """Fill in the form as a person would, and wait until the room is joined."""
    found = panel(page, "Room chat")
    await found.get_by_label("Your name").fill(name)
    await found.get_by_label("Room", exact=True).fill(room)
    await found.get_by_role("button", name="Join").click()
    return await connected(page, "Room chat")


async def say(panel: Locator, text: str) -> None:
    """Write into the last field of a panel and send it with Enter."""
    field = panel.locator(".say input:not(.number)")
    await field.fill(text)
    await field.press("Enter")


async def test_two_tabs_in_a_room(demo: Demo, browser: Browser) -> None:
    """Messages, notices and errors, as text and never as markup."""
    complaints: list[str] = []
    ada = await join(await open_tab(browser, demo.http, complaints), "Ada", "the lobby")
    grace = await join(await open_tab(browser, demo.http, complaints), "Grace", "the lobby")
    await expect(ada.locator(".notice")).to_have_text(["You joined the lobby", "Grace joined"])

    await say(ada, "Hello <b>Grace</b>")
    await say(grace, "Hello Ada")

    await expect(grace.locator(".other .text")).to_have_text("Hello <b>Grace</b>")
    await expect(grace.locator(".other .who")).to_have_text("Ada")
    await expect(ada.locator(".other .text")).to_have_text("Hello Ada")
    await expect(ada.locator(".own .text")).to_have_text("Hello <b>Grace</b>")

    await ada.get_by_label("Message to the room").evaluate("field => field.maxLength = 9999")
    await say(ada, "x" * 2001)
    await expect(ada.locator(".problem")).to_contain_text("at most 2000 characters")

    await grace.get_by_role("button", name="Leave").click()
    await expect(grace.get_by_role("status")).to_have_text("Not connected")
    await expect(ada.locator(".notice").last).to_have_text("Grace left")
    assert complaints == []


async def test_every_panel_in_two_tabs(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    """What one tab says on a layer, the other hears; the echo and the job answer the one that asked."""
    complaints: list[str] = []
    ada = await open_tab(browser, f"{demo.http}/?room=lobby&name=Ada", complaints)
    grace = await open_tab(browser, f"{demo.http}/?room=lobby&name=Grace", complaints)
    for page in (ada, grace):
        for name in ("Room chat", "Background jobs", "File check", "System messages", *SHOWCASE):
            await connected(page, name)

    await say(panel(ada, "System messages"), "hello")
    await expect(panel(ada, "System messages").locator(".other")).to_have_text(
        "🔧 System Echo: hello"
    )
    for name, icon in (("Chat", "💬"), ("Reliable chat", "📬")):
        await say(panel(ada, name), "hello")
        await expect(panel(ada, name).locator(".own .text")).to_have_text(f"{icon} hello")
        await expect(panel(grace, name).locator(".other .text")).to_have_text(f"{icon} hello")
    await panel(ada, "Notifications").get_by_label("Level", exact=True).select_option("alert")
    await say(panel(ada, "Notifications"), "Lunch")
    await expect(panel(grace, "Notifications").locator(".alert .text")).to_have_text("Lunch")
    await panel(ada, "Analytics").get_by_label("How often").fill("40")
    for page in (ada, grace):
        await say(panel(page, "Analytics"), "page.viewed")
    for page in (ada, grace):
        await expect(panel(page, "Analytics").locator(".total .count")).to_have_text("41")
    await say(panel(ada, "Background jobs"), "hello")
    await expect(panel(ada, "Background jobs").locator(".notice")).to_contain_text("Queued as")
    await expect(panel(ada, "Background jobs").locator(".other")).to_contain_text(
        "Translated: 'hello' → 'hola'", timeout=15_000
    )
    await expect(panel(grace, "Background jobs").locator(".other")).to_have_count(0)
    await panel(ada, "File check").get_by_role("button", name="Start").click()
    await expect(panel(ada, "File check").locator(".other")).to_contain_text(
        " files: ", timeout=40_000
    )
    await say(panel(grace, "Room chat"), "Hello Ada, the job is done.")
    await expect(panel(ada, "Room chat").locator(".other .text")).to_contain_text("job is done")

    await ada.screenshot(path=tmp_path / "panels.png", full_page=True)
    assert complaints == []


async def test_a_file_check(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    """The bar advances to the end, and the result comes after it."""
    complaints: list[str] = []
    page = await open_tab(browser, demo.http, complaints)
    check = await connected(page, "File check")
    bar, stop = check.get_by_role("progressbar"), check.get_by_role("button", name="Stop")
    await page.evaluate(WATCH_BAR)
    await expect(stop).to_be_hidden()
    await check.get_by_role("button", name="Start").click()

    await expect(check.locator(".other")).to_contain_text(" files: ", timeout=40_000)
    await expect(check.locator("label")).to_have_text("Done")
    await expect(stop).to_be_hidden()
    shown: list[float] = await page.evaluate("shown")
    total = await bar.evaluate("bar => bar.max")
    assert shown == sorted(shown)
    assert (shown[0] > 0, shown[-1]) == (True, total)
    assert len(set(shown)) > WINDOW  # the page gave credit for more
    await page.screenshot(path=tmp_path / "checked.png", full_page=True)
    assert complaints == []


async def test_a_file_check_can_be_stopped(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    """The server closes the generator at once, and another check can start."""
    complaints: list[str] = []
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.route_web_socket("**/ws/file_check?*", without_credit)
    await page.goto(demo.http)
    check = await connected(page, "File check")
    await check.get_by_role("button", name="Start").click()
    await expect(check.locator("label")).to_contain_text(f"{WINDOW} of ")
    await expect(check.get_by_role("button", name="Start")).to_be_disabled()
    await page.screenshot(path=tmp_path / "checking.png", full_page=True)

    await check.get_by_role("button", name="Stop").click()
    await expect(check.locator("label")).to_have_text("Stopped")
    await expect(check.locator(".notice")).to_have_text(f"Stopped after {WINDOW} files")
    await demo.program.prints(f"The file check was stopped after {WINDOW} of")
    await check.get_by_role("button", name="Start").click()
    await expect(check.locator("label")).to_contain_text(f"{WINDOW} of ")
    assert complaints == []


def without_credit(socket: WebSocketRoute) -> None:
    """Keep what the page sends from the server when it gives credit: the stream then waits for it."""
    server = socket.connect_to_server()

    def pass_on(message: str | bytes) -> None:
        if json.loads(message)["action"] != "more":
            server.send(message)

    socket.on_message(pass_on)


async def test_topics_share_one_socket(demo: Demo, browser: Browser) -> None:
    """The room, the chat and the levels of notifications; a refusal is shown in the panel that asked."""
    page = await browser.new_page()
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    await page.goto(f"{demo.http}/?room=lobby&name=Ada")
    for name in ("Room chat", *SHOWCASE):
        await connected(page, name)
    room, notifications = panel(page, "Room chat"), panel(page, "Notifications")
    await say(room, "hello")
    await expect(room.locator(".own .text")).to_have_text("hello")
    assert sorted(urlsplit(url).path.removeprefix("/ws/") for url in opened) == [
        "analytics",
        "background_jobs",
        "file_check",
        "hub",
        "reliable",
        "system",
    ]

    await notifications.get_by_role("checkbox", name="Alert").uncheck()
    await notifications.get_by_label("Level", exact=True).select_option("alert")
    await say(notifications, "Fire")
    await expect(notifications.locator(".problem")).to_contain_text("Not subscribed")
    await notifications.get_by_role("checkbox", name="Alert").check()
    await connected(page, "Notifications")
    await say(notifications, "Fire")
    await expect(notifications.locator(".own.alert .text")).to_have_text("Fire")

    await room.get_by_role("button", name="Leave").click()
    await page.goto(f"{demo.http}/?room=a:b&name=Ada")
    await expect(room.get_by_role("status")).to_contain_text("Unknown topic 'room:a:b'")
    await expect(room.get_by_role("button", name="Join")).to_be_enabled()
    await connected(page, "Chat")


async def test_topics_are_subscribed_again(demo: Demo, browser: Browser) -> None:
    """On the next connection, with the name; one that was given up stays so."""
    page = await browser.new_page()
    sockets: list[WebSocketRoute] = []

    def route(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    await page.route_web_socket("**/ws/hub?*", route)
    await page.goto(f"{demo.http}/?room=lobby&name=Ada")
    room = await connected(page, "Room chat")
    notifications = await connected(page, "Notifications")
    await notifications.get_by_role("checkbox", name="Info").uncheck()
    await sockets[0].close(code=1012)

    await expect(room.locator(".notice").last).to_have_text("You are back in lobby")
    await connected(page, "Chat")
    await connected(page, "Notifications")
    assert len(sockets) == 2
    other = await open_tab(browser, f"{demo.http}/?room=lobby&name=Grace", [])
    await say(await connected(other, "Room chat"), "hello")
    await expect(room.locator(".other .text")).to_have_text("hello")
    for level in ("info", "warning"):
        await (
            (await connected(other, "Notifications"))
            .get_by_label("Level", exact=True)
            .select_option(level)
        )
        await say(panel(other, "Notifications"), level)
    await expect(notifications.locator(".other .text")).to_have_text("warning")


async def test_a_topic_that_is_unavailable(demo: Demo, browser: Browser) -> None:
    """Is asked for again after some seconds, on the first connection and on the next."""
    page = await browser.new_page()
    sockets: list[WebSocketRoute] = []
    answers = [UNAVAILABLE, None, UNAVAILABLE, None]

    def route(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            frame = json.loads(message)
            wanted = (frame["action"], frame.get("topic")) == ("subscribe", "chat")
            if wanted and (error := answers.pop(0)):
                socket.send(json.dumps({**frame, "action": "error", "payload": error}))
            else:
                server.send(message)

        socket.on_message(pass_on)

    await page.route_web_socket("**/ws/hub?*", route)
    await page.clock.install()
    await page.goto(demo.http)
    status = panel(page, "Chat").get_by_role("status")
    await expect(status).to_have_text("Not available at the moment")
    await page.clock.run_for(RETRY_AFTER)
    await connected(page, "Chat")

    await sockets[0].close(code=1012)
    await expect(status).to_have_text("Reconnecting…")
    await page.clock.run_for(1000)
    await expect(status).to_have_text("Not available at the moment")
    await page.clock.run_for(RETRY_AFTER)
    await connected(page, "Chat")
    assert answers == []


async def test_another_process_sends(demo: Demo, browser: Browser) -> None:
    """The external sender reaches all four panels of the showcase."""
    page = await open_tab(browser, demo.http, [])
    for name in SHOWCASE:
        await connected(page, name)
    run = await finished(*SENDER, "--port", str(demo.port), "--message", "From <outside>")

    assert run.code == 0, run.err
    for name in SHOWCASE:
        await expect(panel(page, name).locator(".notice").last).to_have_text("From <outside>")


async def test_it_comes_back_after_a_restart(demo: Demo, browser: Browser) -> None:
    """A draft survives, the room is joined again, and every panel is connected."""
    tab = await open_tab(browser, f"{demo.http}/?room=lobby&name=Ada", [])
    room = await connected(tab, "Room chat")
    await room.get_by_label("Message to the room").fill("a draft")

    await demo.program.stop()
    await expect(room.get_by_role("status")).to_contain_text("Reconnecting")
    await expect(room.get_by_role("button", name="Send")).to_be_disabled()
    async with Program.run(sys.executable, str(START_DEV), "--port", str(demo.port)):
        await expect(room.get_by_role("status")).to_have_text("Connected", timeout=30_000)
        await room.get_by_role("button", name="Send").click()

        await expect(room.locator(".own .text")).to_have_text("a draft")
        await expect(room.locator(".notice").last).to_have_text("You are back in lobby")
        for status in await tab.get_by_role("status").all():
            await expect(status).to_have_text("Connected", timeout=30_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
async def test_it_fits_every_window(
    demo: Demo, browser: Browser, scheme: str, width: int, tmp_path: Path
) -> None:
    """Nothing is cut off or scrolls sideways, however long the words."""
    tab = await browser.new_page(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    await tab.route_web_socket("**/ws/file_check?*", without_credit)
    await tab.goto(f"{demo.http}/?room=lobby&name=Ada")
    check = await connected(tab, "File check")
    await check.get_by_role("button", name="Start").click()
    room = await connected(tab, "Room chat")
    await say(room, "long " * 40 + "w" * 300)
    await say(await connected(tab, "System messages"), "w" * 300)

    await expect(room.locator(".own .text")).to_contain_text("www")
    await expect(panel(tab, "System messages").locator(".other")).to_contain_text("www")
    await expect(check.locator("label")).to_contain_text(f"{WINDOW} of ")
    assert await tab.evaluate(TOO_WIDE) == []
    await tab.screenshot(path=tmp_path / f"{scheme}-{width}.png", full_page=True)
