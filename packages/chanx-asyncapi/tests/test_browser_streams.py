"""The documentation page in a real browser, with an application that streams and asks."""

import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .browsing import NEEDS_CHROMIUM, chromium, open_console, open_tab, playwright, served

# Neither is there where the tests of this package run alone.
pytest.importorskip("uvicorn", reason="there is no uvicorn")
pytest.importorskip("chanx.fast_channels", reason="there is no chanx-fastchannels")

from .streaming_app import Progress, make_app

pytestmark = NEEDS_CHROMIUM

expect = playwright.expect
ENDLESS = 10**9
# How many items the tab takes whose heap is measured, with a millisecond of work for each.
HEAP_ITEMS = int(os.environ.get("HEAP_ITEMS", "5000"))
# What the items hold all together: more than the heap may.
HEAP_CHARACTERS = 100_000_000
HEAP_LIMIT = 30_000_000


class Server(NamedTuple):
    """The address of the application, and what its streams have done."""

    address: str
    progress: Progress


@pytest.fixture
def server() -> Iterator[Server]:
    progress = Progress()
    with served(make_app(progress)) as address:
        yield Server(address, progress)


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    """A headless Chromium whose pages can collect garbage and read the exact size of their heap."""
    async with chromium("--enable-precise-memory-info", "--js-flags=--expose-gc") as running:
        yield running


async def test_items_of_a_stream_come_under_their_request(server: Server, browser: Any) -> None:
    console = await open_console(browser, server.address, "agent")
    await expect(console.place.get_by_label("Add a ref and a window")).to_be_checked()

    answer = await console.send("count", items=100)

    await expect(answer.locator(".state")).to_have_text("complete")
    await expect(answer.locator(".count")).to_have_text("100 items")
    await expect(answer.locator("li.item")).to_have_count(100)
    assert await answer.locator(".seq").all_inner_texts() == [str(n) for n in range(1, 101)]
    await expect(answer.locator("li.in").last).to_contain_text("complete")
    await expect(answer.get_by_role("button", name="Cancel")).to_have_count(0)
    await expect(console.place.locator(".traffic .wrong")).to_have_count(0)
    request, *credit = console.sent
    assert (request["ref"], request["window"]) == ("1", 32)
    assert {(frame["action"], frame["ref"]) for frame in credit} == {("more", "1")}
    assert sum(frame["payload"] for frame in credit) >= 100 - 32
    assert all(16 <= frame["payload"] <= 32 for frame in credit)
    assert console.complaints == []


async def test_credit_is_shown_while_a_stream_runs(server: Server, browser: Any) -> None:
    console = await open_console(browser, server.address, "agent")

    answer = await console.send("count", items=40, hold_after=10)
    await expect(answer.locator(".count")).to_have_text("10 items")
    await expect(answer.locator(".credit")).to_have_text("credit 22")
    await expect(answer.locator(".state")).to_have_text("running")
    await console.send("release")
    await expect(answer.locator(".state")).to_have_text("complete")
    await expect(answer.locator(".credit")).to_have_text("")


async def test_a_window_that_is_written_is_the_window(server: Server, browser: Any) -> None:
    console = await open_console(browser, server.address, "agent")
    frame = {"action": "count", "payload": {"items": 9}, "window": 2, "ref": "mine"}
    await console.choose("count")
    await console.place.get_by_label("Frame", exact=True).fill(json.dumps(frame))
    await console.place.get_by_role("button", name="Send", exact=True).click()

    await expect(console.place.locator(".exchange .count")).to_have_text("9 items")
    assert console.sent[0] == frame
    assert all(one["payload"] <= 2 for one in console.sent[1:])


async def test_a_stream_is_cancelled_by_keyboard(server: Server, browser: Any) -> None:
    console = await open_console(browser, server.address, "agent")
    answer = await console.send("count", items=ENDLESS)
    many = re.compile(r"^([6-9]\d\d|\d{4,}) items$")
    await expect(answer.locator(".count")).to_have_text(many, timeout=40_000)
    kept = await console.log.locator("li").count()

    button = answer.get_by_role("button", name="Cancel")
    await button.focus()
    await console.page.keyboard.press("Enter")
    await expect(answer.locator(".state")).to_have_text("cancelled")
    await expect(answer.locator("ol")).to_be_focused()
    await expect(button).to_have_count(0)
    assert kept <= 501  # the oldest items make room, and what they belong to stays
    assert server.progress.closed == 1
    assert server.progress.sent < ENDLESS

    await console.send("ping")
    await expect(console.log.locator("li.in .name", has_text="pong")).to_be_visible()
    assert console.complaints == []


async def test_two_streams_do_not_mix(server: Server, browser: Any) -> None:
    console = await open_console(browser, server.address, "agent")
    await console.send("count", items=20, hold_after=10)
    await console.send("count", items=7)
    first, second = [console.place.locator(".exchange").nth(number) for number in (0, 1)]

    await expect(second.locator(".state")).to_have_text("complete")
    await expect(second.locator("li.item")).to_have_count(7)
    await expect(first.locator(".state")).to_have_text("running")
    await expect(first.locator("li.item")).to_have_count(10)
    await console.place.get_by_role("button", name="Clear").click()
    await expect(console.place.locator(".exchange")).to_have_count(1)
    await first.get_by_role("button", name="Cancel").click()
    await expect(first.locator(".state")).to_have_text("cancelled")


async def test_an_error_ends_a_stream(server: Server, browser: Any) -> None:
    console = await open_console(browser, server.address, "agent")

    answer = await console.send("count", items=2, fail=True)
    await expect(answer.locator(".state")).to_have_text("error: It broke after all")
    await expect(answer.locator(".count")).to_have_text("2 items")


async def test_an_answer_can_be_cancelled_before_it_comes(server: Server, browser: Any) -> None:
    console = await open_console(browser, server.address, "agent")

    answer = await console.send("report")
    await expect(answer.locator(".state")).to_have_text("running")
    await answer.get_by_role("button", name="Cancel").click()
    await expect(answer.locator(".state")).to_have_text("cancelled")

    answer = await console.send("report")
    await console.choose("cancel")
    await expect(console.place.get_by_label("Frame", exact=True)).to_have_value(
        json.dumps({"action": "cancel", "ref": "2"}, indent=2)
    )
    await expect(console.place.get_by_label("Add a ref")).to_be_hidden()
    await console.place.get_by_role("button", name="Send", exact=True).click()
    await expect(answer.locator(".state")).to_have_text("cancelled")

    await console.send("release")
    answer = await console.send("report")
    await expect(answer.locator(".state")).to_have_text("complete")
    await expect(answer.locator("li.in .name")).to_have_text("ready")


async def test_a_request_of_the_server_is_answered(server: Server, browser: Any) -> None:
    console = await open_console(browser, server.address, "agent")
    question = await console.send("deploy")
    state, editor = question.locator(".state"), question.get_by_label("Answer to approve")
    await expect(state).to_have_text("waiting for your answer")
    await expect(editor).to_have_value(
        json.dumps({"action": "approved", "payload": {"ok": True, "by": "Ada"}}, indent=2)
    )

    await editor.fill('{"action": "approved", "payload": {"ok": true}}')
    await expect(question.locator(".problems li")).to_have_text("payload/by: is required")
    await question.get_by_role("button", name="Answer", exact=True).click()
    await expect(state).to_have_text("not accepted: answer again")
    await editor.fill('{"action": "approved", "payload": {"ok": true, "by": "Grace"}}')
    await editor.press("Control+Enter")

    await expect(state).to_have_text("answered")
    await expect(editor).to_be_hidden()
    deployed = console.log.locator("li.in", has=console.page.get_by_text("deployed", exact=True))
    await expect(deployed).to_contain_text("approved by Grace")
    assert [frame["ref"] for frame in console.sent] == ["1", "s.1", "s.1"]
    assert console.complaints == []


async def test_nothing_runs_on_a_closed_connection(server: Server, browser: Any) -> None:
    console = await open_console(browser, server.address, "agent")
    count = await console.send("count", items=20, hold_after=10)
    await expect(count.locator(".count")).to_have_text("10 items")
    await console.send("deploy")
    answer, question = [console.place.locator(".exchange").nth(number) for number in (0, 1)]
    await expect(question.locator(".state")).to_have_text("waiting for your answer")

    await console.place.get_by_role("button", name="Disconnect").click()
    for exchange in (answer, question):
        await expect(exchange.locator(".state")).to_have_text("disconnected")
        await expect(exchange.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
async def test_exchanges_fit_every_window(
    server: Server, browser: Any, scheme: str, width: int, tmp_path: Path
) -> None:
    viewport = {"width": width, "height": 800}
    console = await open_console(
        browser, server.address, "agent", viewport=viewport, color_scheme=scheme
    )
    answer = await console.send("count", items=20, hold_after=10)
    await expect(answer.locator(".count")).to_have_text("10 items")
    question = await console.send("deploy")
    await expect(question.get_by_role("button", name="Answer", exact=True)).to_be_visible()

    overflow = await console.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    nameless = await console.page.evaluate(
        "[...document.querySelectorAll('input, select, textarea')].filter(control => !control.labels?.length).length"
    )
    await console.page.screenshot(path=tmp_path / f"{scheme}-{width}.png", full_page=True)
    assert overflow <= 0
    assert nameless == 0


# The nox session `browser-long` asks for 100,000 items, which take minutes.
async def test_a_window_bounds_the_heap_of_a_page(server: Server, browser: Any) -> None:
    tab = await open_tab(browser, f"{server.address}/heap")
    payload = {"items": HEAP_ITEMS, "size": HEAP_CHARACTERS // HEAP_ITEMS}

    taken = await tab.page.evaluate("([payload, window]) => take(payload, window)", [payload, 32])

    assert taken["items"] == HEAP_ITEMS
    assert taken["heap"] < HEAP_LIMIT
