"""The pages in two real browsers."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.people import PASSWORD
from tests.support import MANAGE, READY, Program, Served, serving

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(120),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """The site under the server that it is started with by default."""
    async with serving("daphne", tmp_path) as running:
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        await chromium.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browsers complain about."""
    return []


async def person(browser: Browser, served: Served, name: str, complaints: list[str]) -> Page:
    """Sign up in a browser of one's own."""
    context = await browser.new_context(
        viewport={"width": 1080, "height": 720}, base_url=served.http
    )
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    await page.goto("/accounts/sign-up/")
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Password confirmation").fill(PASSWORD)
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.get_by_role("heading", name="Your rooms")).to_be_visible()
    return page


async def connected(page: Page) -> None:
    await expect(page.locator("#state")).to_have_text("Connected")


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Message", exact=True).fill(text)
    await page.keyboard.press("Enter")


async def picture(page: Page, folder: Path, name: str) -> None:
    await page.screenshot(path=folder / f"{name}.png")


async def test_a_room(
    served: Served, browser: Browser, complaints: list[str], tmp_path: Path
) -> None:
    """Two people in a room: what they write, who is writing, a new name, and being put out."""
    ada = await person(browser, served, "ada", complaints)
    bob = await person(browser, served, "bob", complaints)
    await ada.get_by_label("Name of the room").fill("The lobby")
    await ada.get_by_role("button", name="Open").click()
    await connected(ada)
    await ada.get_by_label("Bring somebody in").fill("bob")
    await ada.get_by_role("button", name="Add").click()
    await expect(ada.get_by_label("Members").get_by_role("listitem")).to_have_count(2)

    await bob.reload()
    await bob.get_by_role("link", name="The lobby").click()
    await connected(bob)
    await say(ada, "Hello <b>Bob</b>")
    await expect(bob.locator(".message .text")).to_have_text("Hello <b>Bob</b>")
    await bob.get_by_label("Message", exact=True).press_sequentially("Hello")
    await expect(ada.locator("#typing")).to_have_text("bob is writing…")
    await bob.keyboard.press("Enter")
    await expect(ada.locator(".message:not(.own) .text")).to_have_text("Hello")
    await picture(ada, tmp_path, "room")

    await bob.reload()
    await expect(bob.locator(".message")).to_have_count(2)
    await ada.get_by_label("Rename the room").fill("The parlour")
    await ada.get_by_role("button", name="Rename").click()
    await expect(bob.get_by_role("heading", level=1)).to_have_text("The parlour")

    removing = await ada.request.delete(
        f"/api/rooms/{await room_of(ada)}/members/bob/", headers=await csrf(ada)
    )
    assert removing.ok
    await expect(bob.locator("#state")).to_have_text("You are not allowed here")
    await expect(ada.get_by_label("Members").get_by_role("listitem")).to_have_count(1)
    assert complaints == []


async def room_of(page: Page) -> str:
    return page.url.rstrip("/").rpartition("/")[2]


async def csrf(page: Page) -> dict[str, str]:
    """Return what Django wants to see beside a session."""
    cookies = await page.context.cookies()
    token = next(cookie for cookie in cookies if cookie.get("name") == "csrftoken")
    return {"X-CSRFToken": token.get("value") or "", "Referer": page.url}


async def test_direct_messages(served: Served, browser: Browser, complaints: list[str]) -> None:
    """A room that is called by the name of the other."""
    ada = await person(browser, served, "ada", complaints)
    bob = await person(browser, served, "bob", complaints)
    await ada.get_by_label("Their username").fill("zoe")
    await ada.get_by_role("button", name="Write").click()
    await expect(ada.get_by_role("alert").last).to_contain_text("does not exist")
    await ada.get_by_label("Their username").fill("bob")
    await ada.get_by_role("button", name="Write").click()
    await connected(ada)
    await expect(ada.get_by_role("heading", level=1)).to_have_text("bob")
    await bob.reload()
    await bob.get_by_role("link", name="ada").click()
    await connected(bob)
    await say(bob, "Between us")
    await expect(ada.locator(".message .text")).to_have_text("Between us")
    # The browser itself tells of the answer 400.
    assert [said for said in complaints if "400 (Bad Request)" not in said] == []


async def test_the_board(
    served: Served, browser: Browser, complaints: list[str], tmp_path: Path
) -> None:
    """Votes count on every open page, and who is not logged in looks on."""
    ada = await person(browser, served, "ada", complaints)
    context = await browser.new_context(
        viewport={"width": 1080, "height": 720}, base_url=served.http
    )
    guest = await context.new_page()
    for page in (ada, guest):
        await page.goto("/board/")
        await connected(page)
    for title in ("Tabs", "Spaces"):
        await ada.get_by_label("Title").fill(title)
        await ada.get_by_role("button", name="Start").click()
        await expect(guest.get_by_role("link", name=title)).to_be_visible()
    await expect(guest.locator(".topic strong")).to_have_text(["Spaces", "Tabs"])

    await ada.get_by_role("button", name="Vote for Tabs").click()
    await expect(guest.get_by_label("Score of Tabs")).to_have_text("1")
    await expect(guest.locator(".topic strong")).to_have_text(["Tabs", "Spaces"])
    await expect(guest.get_by_role("button", name="Vote for Tabs")).to_be_disabled()
    await picture(ada, tmp_path, "board")

    await ada.get_by_role("link", name="Tabs").click()
    await guest.get_by_role("link", name="Tabs").click()
    await connected(ada)
    await connected(guest)
    await ada.get_by_label("Your reply").fill("Both <i>at once</i>")
    await ada.get_by_role("button", name="Reply").click()
    await expect(guest.get_by_label("Replies")).to_contain_text("Both <i>at once</i>")
    await expect(ada.get_by_label("Replies").get_by_role("listitem")).to_have_count(1)
    await picture(guest, tmp_path, "topic")

    await ada.get_by_label("Your reply").evaluate("field => field.maxLength = 9999")
    await ada.get_by_label("Your reply").fill("x" * 4001)
    await ada.get_by_role("button", name="Reply").click()
    await expect(ada.get_by_role("alert")).to_contain_text("at most 4000 characters")
    assert complaints == []


async def test_the_assistant(
    served: Served, browser: Browser, complaints: list[str], tmp_path: Path
) -> None:
    """An answer grows while it is read, and can be stopped."""
    ada = await person(browser, served, "ada", complaints)
    await ada.get_by_role("link", name="Assistant").click()
    await connected(ada)
    await ada.get_by_label("Question", exact=True).fill("How do votes work?")
    await ada.keyboard.press("Enter")
    answer = ada.locator(".message:not(.own) .text")
    await expect(answer).to_contain_text("The board is open")
    await expect(ada.get_by_role("button", name="Stop")).to_be_visible()
    await expect(answer).to_contain_text("reach all open pages as events.")
    await picture(ada, tmp_path, "assistant")

    await ada.get_by_label("Question", exact=True).fill("And rooms?")
    await ada.keyboard.press("Enter")
    await expect(answer.last).to_contain_text("A room is")
    await ada.get_by_role("button", name="Stop").click()
    await expect(answer.last).to_contain_text("(stopped)")
    await ada.reload()
    await expect(answer.last).to_contain_text("(stopped)")
    assert complaints == []


async def test_pages_come_back_after_a_restart(
    served: Served, browser: Browser, complaints: list[str]
) -> None:
    """What is written meanwhile arrives, topics are subscribed again, and who is logged out reads so."""
    ada = await person(browser, served, "ada", complaints)
    bob = await person(browser, served, "bob", complaints)
    await bob.goto("/assistant/")
    await connected(bob)
    room = await ada.context.new_page()
    await ada.goto("/board/")
    await ada.get_by_label("Title").fill("Tabs")
    await ada.get_by_role("button", name="Start").click()
    await ada.get_by_role("link", name="Tabs").click()
    await connected(ada)
    await room.goto("/")
    await room.get_by_label("Name of the room").fill("The lobby")
    await room.get_by_role("button", name="Open").click()
    await connected(room)

    await served.program.stop()
    await expect(room.locator("#state")).to_have_attribute("data-state", "wait")
    await expect(ada.locator("#state")).to_have_attribute("data-state", "wait")
    await say(room, "Written meanwhile")
    await ada.get_by_label("Your reply").fill("Too early")
    await ada.get_by_role("button", name="Reply").click()
    await expect(ada.get_by_role("alert")).to_have_text("Not connected. Please try again.")
    await bob.context.clear_cookies()
    command = (*MANAGE, "serve", "--port", str(served.port))
    async with Program.run(*command, environment=served.environment) as program:
        await program.prints(READY["daphne"])
        await expect(room.locator("#state")).to_have_text("Connected", timeout=30_000)
        await expect(room.locator(".message .text")).to_have_text("Written meanwhile")
        await expect(ada.locator("#state")).to_have_text("Connected", timeout=30_000)
        await ada.get_by_role("button", name="Reply").click()
        await expect(ada.get_by_label("Replies")).to_contain_text("Too early")
        await expect(bob.locator("#state")).to_have_text("Log in to connect", timeout=30_000)


# How far a page is too wide, and its footer over what is above it: both in pixels.
MISFIT = """() => {
    const page = document.documentElement, footer = document.querySelector("footer").getBoundingClientRect();
    const last = document.querySelector("main").lastElementChild.getBoundingClientRect();
    return [page.scrollWidth - page.clientWidth, Math.max(0, last.bottom - footer.top)];
}"""


async def test_pages_fit_a_phone(served: Served, browser: Browser, complaints: list[str]) -> None:
    """Long names and words are wrapped, and the footer comes after everything else."""
    ada = await person(browser, served, "ada", complaints)
    await ada.set_viewport_size({"width": 360, "height": 640})
    await ada.get_by_label("Name of the room").fill(
        "A room with a name as long as rooms may have one"
    )
    await ada.get_by_role("button", name="Open").click()
    await connected(ada)
    room = await room_of(ada)
    await say(ada, "word" * 100)
    await expect(ada.locator(".message")).to_have_count(1)
    for page in ("/", f"/rooms/{room}/", "/board/", "/assistant/"):
        await ada.goto(page)
        assert await ada.evaluate(MISFIT) == [0, 0], page
    assert complaints == []


async def test_the_pages_of_the_documents(
    served: Served, browser: Browser, complaints: list[str]
) -> None:
    """Both show, with nothing from elsewhere."""
    ada = await person(browser, served, "ada", complaints)
    await ada.get_by_role("link", name="WebSockets").click()
    await expect(ada.locator("body")).to_contain_text("/ws/rooms/{pk}/")
    await ada.goto("/api/docs/")
    await expect(ada.locator("#swagger-ui")).to_contain_text("/api/topics/{id}/vote/")
    assert complaints == []


async def test_the_documentation_talks_to_what_it_documents(
    served: Served, browser: Browser, complaints: list[str]
) -> None:
    """A room is joined from its page, with the session of the browser; what comes back is as documented."""
    ada = await person(browser, served, "ada", complaints)
    await ada.get_by_label("Name of the room").fill("The lobby")
    await ada.get_by_role("button", name="Open").click()
    await connected(ada)
    number = await room_of(ada)
    await ada.goto("/asyncapi/docs/")
    room = ada.locator("#channel-room")
    await room.get_by_role("button", name="Try it").click()
    await room.get_by_label("pk in the path").fill(number)
    await room.get_by_role("button", name="Connect", exact=True).click()
    await expect(room.get_by_role("status")).to_have_text("Connected")
    await expect(room.locator("li.in .name", has_text="authentication")).to_be_visible()

    for kind in ("say (SayMessage)", "get_history (HistoryRequest)", "ping (PingMessage)"):
        await room.get_by_label("Message", exact=True).select_option(kind)
        await room.get_by_role("button", name="Send").click()
    for heard in ("said", "history", "pong"):
        await expect(room.locator("li.in .name", has_text=heard).first).to_be_visible()
    await expect(room.locator("li.out")).to_have_count(3)
    await expect(room.locator(".traffic .wrong")).to_have_count(0)
    assert complaints == []
