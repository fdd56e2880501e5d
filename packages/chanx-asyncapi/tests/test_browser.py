"""The documentation page in a real browser, served as files under its own strict policy."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import pytest

from chanx.asyncapi import ConsumerRoute, generate_document
from chanx.asyncapi.docs import PAGE_HEADERS, error_page, static_site
from chanx.core.decorators import channel, ws_handler
from chanx.messages.base import BaseMessage

from .browsing import NEEDS_CHROMIUM, chromium, open_tab, playwright
from .torture import OPTIONS, ROUTES, Consumer

OPEN_ALL = "document.querySelectorAll('.trial > button').forEach(button => button.click())"
HOSTILE = (
    """</title></script><script>alert(1)</script><!--<script "'><img src=x onerror=alert(2)>"""
)

pytestmark = NEEDS_CHROMIUM


class HostileMessage(BaseMessage):
    __doc__ = HOSTILE
    action: Literal["hostile"] = "hostile"
    payload: str = HOSTILE


@channel(name=HOSTILE, description=HOSTILE, tags=[HOSTILE])
class HostileConsumer(Consumer):
    @ws_handler(summary=HOSTILE, description=HOSTILE)
    async def handle_hostile(self, message: HostileMessage) -> HostileMessage:
        return message


class Handler(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        for name, value in PAGE_HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of the torture application, of one whose every text is hostile, and of an error."""
    place = tmp_path_factory.mktemp("site")
    routes = (*ROUTES, ConsumerRoute("/hostile/<b>", (), HostileConsumer))
    options = replace(OPTIONS, title=f"Torture {HOSTILE}", description=HOSTILE)
    for name, content in static_site(generate_document(routes, options)).items():
        (place / name).write_bytes(content)
    (place / "error.html").write_text(error_page("Failed", str), encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(place)))
    own = replace(options, servers=None, server_url=f"127.0.0.1:{server.server_port}")
    own_site = static_site(generate_document(routes, own))
    (place / "own.html").write_bytes(own_site["index.html"])  # its server takes no WebSockets
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    """A headless Chromium."""
    async with chromium() as running:
        yield running


@pytest.mark.parametrize("name", ["index.html", "error.html"])
async def test_it_asks_nobody_else_and_breaks_on_nothing(
    site: str, browser: Any, name: str
) -> None:
    tab = await open_tab(browser, f"{site}/{name}")
    text = await tab.page.inner_text("body")

    assert tab.complaints == []
    assert all(address.startswith(site) for address in tab.requests)
    assert len(tab.requests) == (
        11 if name == "index.html" else 3
    )  # the page, its style and icon, its scripts
    assert len(text) > (1000 if name == "index.html" else 50)
    assert (HOSTILE in text) is (name == "index.html")
    assert await tab.page.locator("img").count() == 0


async def test_every_message_can_be_tried_with_its_example(site: str, browser: Any) -> None:
    tab = await open_tab(browser, f"{site}/index.html")
    tried: list[tuple[str, list[str]]] = []
    await tab.page.evaluate(OPEN_ALL)
    for channel_section in await tab.page.locator(".channel").all():
        kinds = channel_section.get_by_label("Message", exact=True)
        for option in await kinds.locator("option").all():
            await kinds.select_option(await option.get_attribute("value"))
            problems = await channel_section.locator(".composer .problems li").all_inner_texts()
            tried.append((await option.inner_text(), problems))

    assert len(tried) == 36
    assert [found for found in tried if found[1]] == []
    assert tab.complaints == []


async def test_an_invalid_frame_is_reported_while_it_is_edited(site: str, browser: Any) -> None:
    tab = await open_tab(browser, f"{site}/index.html#channel-everything")
    section = tab.page.locator("#channel-everything")
    await section.get_by_role("button", name="Try it").click()
    problems = section.locator(".composer .problems li")

    await section.get_by_label("Frame").fill(
        '{"action": "circles", "payload": {"shape": "square", "side": 3}}'
    )
    await playwright.expect(problems).to_contain_text(["payload/side"])
    await section.get_by_label("Frame").fill('{"action": "circles"')
    await playwright.expect(problems).to_contain_text(["Invalid JSON"])
    await section.get_by_label("Frame").fill('{"action": "nothing"}')
    await playwright.expect(problems).to_contain_text(["documented here: circles, everything"])
    await section.get_by_role("button", name="Insert example").click()
    await playwright.expect(problems).to_have_count(0)


@pytest.mark.parametrize(
    ("frame", "problems"),
    [
        ({"action": "everything"}, ["payload: is required"]),
        ({"action": "circles", "payload": {"shape": "circle"}}, ["payload/radius: is required"]),
        (
            {"action": "circles", "payload": {"shape": "circle", "radius": 200}},
            ["payload/radius: 200 is greater than 100."],
        ),
        (
            {"action": "circles", "payload": {"shape": "oval"}},
            [
                'payload/shape: The value does not match "circle".',
                'payload/shape: The value does not match "square".',
            ],
        ),
        (
            {"action": "circles", "payload": "none"},
            ['payload: The value type "string" is invalid. Expected "object".'],
        ),
    ],
)
async def test_the_field_that_is_wrong_is_named_with_the_reason(
    site: str, browser: Any, frame: Any, problems: list[str]
) -> None:
    tab = await open_tab(browser, f"{site}/index.html")
    section = tab.page.locator("#channel-everything")
    await section.get_by_role("button", name="Try it").click()
    await section.get_by_label("Frame").fill(json.dumps(frame))

    await playwright.expect(section.locator(".composer .problems li")).to_have_text(problems)


async def test_a_connection_is_retried_until_it_is_cancelled(site: str, browser: Any) -> None:
    tab = await open_tab(browser, f"{site}/own.html")
    page, sockets = tab.page, list[str]()

    def opened(socket: Any) -> None:
        sockets.append(socket.url)

    page.on("websocket", opened)
    section = page.locator("#channel-plain")
    await section.get_by_role("button", name="Try it").click()
    await section.get_by_label("Reconnect automatically").check()
    await page.clock.install(time=0)
    await page.clock.pause_at(1000)
    status, lines = section.get_by_role("status"), section.locator(".traffic .toolbar .note")

    await section.get_by_role("button", name="Connect").click()
    await playwright.expect(lines).to_have_text("1 line")
    await playwright.expect(status).to_have_text("Reconnecting…")
    await section.get_by_role("button", name="Cancel").click()
    await playwright.expect(status).to_have_text("Not connected")
    await page.clock.run_for(60_000)
    assert len(sockets) == 1

    await section.get_by_role("button", name="Connect").click()
    await playwright.expect(lines).to_have_text("2 lines")
    await page.clock.run_for(500)
    await playwright.expect(lines).to_have_text("3 lines")
    await playwright.expect(status).to_have_text("Reconnecting…")
    assert len(sockets) == 3


async def test_parameters_and_credentials_make_the_address(site: str, browser: Any) -> None:
    tab = await open_tab(browser, f"{site}/index.html")
    section = tab.page.locator("#channel-orders_more")
    await section.get_by_role("button", name="Try it").click()

    await playwright.expect(section.locator(".url")).to_have_text("ws://a.example/ws/orders/{shop}")
    await section.get_by_label("shop in the path").fill("a/b é")
    await section.get_by_label("token in the query string").fill("s&cret")
    await section.get_by_label("Extra query string").fill("page=2")
    await playwright.expect(section.locator(".url")).to_have_text(
        "ws://a.example/ws/orders/a%2Fb%20%C3%A9?page=2&token=s%26cret"
    )
    await playwright.expect(section).to_contain_text("Browsers cannot set the header X-Api-Key")
    await section.get_by_role("button", name="Connect").click()
    await playwright.expect(section.get_by_role("log")).to_contain_text(
        "does not allow ws://a.example"
    )
    await playwright.expect(section.get_by_role("status")).to_have_text("Not connected")


async def test_search_finds_and_links_open(site: str, browser: Any) -> None:
    tab = await open_tab(browser, f"{site}/index.html#message-everything-circles")
    page = tab.page
    message = page.locator("#message-everything-circles")
    await playwright.expect(message).to_have_attribute("open", "")
    await playwright.expect(message).to_be_in_viewport()

    await page.keyboard.press("/")
    await page.keyboard.type("radius")
    await playwright.expect(page.locator("#found")).to_have_text("12 found")
    await playwright.expect(page.locator("#channel-plain")).to_be_hidden()
    await playwright.expect(message).to_be_visible()
    await page.get_by_role("searchbox", name="Search").fill("")
    await playwright.expect(page.locator("#channel-plain")).to_be_visible()

    await message.get_by_role("button", name="Try this message").click()
    editor = page.locator("#channel-everything").get_by_label("Frame")
    await playwright.expect(editor).to_have_value(
        '{\n  "action": "circles",\n  "payload": {\n    "shape": "circle",\n    "radius": 1\n  }\n}'
    )


async def test_the_theme_is_remembered(site: str, browser: Any) -> None:
    tab = await open_tab(browser, f"{site}/index.html", color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = await tab.page.evaluate(background)

    for name in ("auto", "light"):
        await tab.page.get_by_role("button", name=f"Theme: {name}").click()
    dark = await tab.page.evaluate(background)
    await tab.page.reload()

    assert light != dark == await tab.page.evaluate(background)


async def test_it_can_be_read_without_scripts(site: str, browser: Any) -> None:
    tab = await open_tab(browser, f"{site}/index.html", java_script_enabled=False)

    await playwright.expect(
        tab.page.get_by_role("heading", name="orders & more").first
    ).to_be_visible()
    await playwright.expect(tab.page.get_by_role("button")).to_have_count(0)


async def test_it_can_be_used_by_keyboard_and_read_aloud(site: str, browser: Any) -> None:
    tab = await open_tab(browser, f"{site}/index.html")
    page = tab.page
    await page.keyboard.press("Tab")
    await playwright.expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    focused = await page.evaluate("document.activeElement.closest('main') !== null")
    await page.evaluate(OPEN_ALL)
    nameless = await page.evaluate(
        "[...document.querySelectorAll('input, select, textarea')].filter(control => !control.labels?.length).length"
    )
    headings = await page.evaluate("document.querySelectorAll('h1').length")

    assert focused
    assert nameless == 0
    assert headings == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1920])
async def test_it_fits_every_window(
    site: str, browser: Any, scheme: str, width: int, tmp_path: Path
) -> None:
    tab = await open_tab(
        browser, f"{site}/index.html", viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    await tab.page.evaluate(OPEN_ALL)
    await tab.page.evaluate(
        "document.querySelectorAll('main details').forEach(item => item.open = true)"
    )
    overflow = await tab.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    await tab.page.screenshot(path=tmp_path / f"{scheme}-{width}.png", full_page=True)

    assert overflow <= 0
