"""The documentation page in a real browser, with an application that has topics."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from .browsing import NEEDS_CHROMIUM, Console, chromium, open_console, open_tab, playwright, served

# Neither is there where the tests of this package run alone.
pytest.importorskip("uvicorn", reason="there is no uvicorn")
pytest.importorskip("chanx.fast_channels", reason="there is no chanx-fastchannels")

from .topics_app import make_app

pytestmark = NEEDS_CHROMIUM

expect = playwright.expect
QUESTION = "hub_page_question_topic"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(make_app()) as running:
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    """A headless Chromium."""
    async with chromium() as running:
        yield running


def state(console: Console) -> Any:
    return console.place.locator(".topic-state")


def received(console: Console, name: str) -> Any:
    """Return the lines of frames with a name that came outside of an exchange."""
    named = console.page.locator(".name").get_by_text(name, exact=True)
    return console.place.locator("ol[role=log] > li.in", has=named)


async def subscribe(console: Console, pk: int) -> None:
    await console.place.get_by_label("pk in the topic").fill(str(pk))
    await console.place.get_by_role("button", name="Subscribe", exact=True).click()
    await expect(state(console)).to_have_text("Subscribed")


async def test_the_page_shows_topics_as_channels(address: str, browser: Any) -> None:
    tab = await open_tab(browser, f"{address}/asyncapi")
    section = tab.page.locator(f"#channel-{QUESTION}")

    await expect(section.locator(".address")).to_have_text("/ws/hub")
    await expect(section.locator(".topic-pattern code")).to_have_text("question:{section}:{pk}")
    fields = section.locator("ul.fields").first.locator("li")
    await expect(fields).to_have_text(
        ['section "open" | "closed"required', "pk integerrequired"], use_inner_text=False
    )
    shares = section.locator(".shares a")
    await expect(shares).to_have_text(["hub", "hub_page_news_topic"])
    await shares.first.click()
    await expect(tab.page.locator("#channel-hub h2")).to_be_in_viewport()
    await expect(tab.page.locator("#channel-hub .shares a")).to_have_count(2)
    await expect(section).not_to_contain_text("Connecting subscribes to this topic")
    default = tab.page.locator("#channel-page_default_topic")
    await expect(default).to_contain_text("Connecting subscribes to this topic")
    await expect(default.locator(".shares")).to_have_count(0)
    subscription = section.locator("article.subscription").first
    await expect(subscription).to_contain_text("subscribed")
    await expect(section.locator("article.control")).to_have_count(2)


async def test_subscribe_send_receive_and_unsubscribe(address: str, browser: Any) -> None:
    console = await open_console(browser, address, QUESTION)
    await expect(state(console)).to_have_text("Not subscribed")
    await expect(console.place.locator(".composer .problems li")).to_have_count(0)
    await subscribe(console, 5)

    await console.send("reply", "Hello")
    await expect(received(console, "saved").locator(".latency")).to_have_count(1)
    await expect(received(console, "new_reply")).to_contain_text('"topic":"question:open:5"')
    await console.place.get_by_role("button", name="Unsubscribe").click()
    await expect(state(console)).to_have_text("Not subscribed")
    await console.send("reply", "Again")
    await expect(received(console, "error")).to_contain_text("not_subscribed")

    await expect(console.place.locator(".traffic .wrong")).to_have_count(0)
    topic = "question:open:5"
    assert console.sent == [
        {"action": "subscribe", "topic": topic, "ref": "1"},
        {"action": "reply", "payload": "Hello", "topic": topic, "ref": "2"},
        {"action": "unsubscribe", "topic": topic, "ref": "3"},
        {"action": "reply", "payload": "Again", "topic": topic, "ref": "4"},
    ]
    assert console.complaints == []


async def test_another_client_receives_the_event(address: str, browser: Any) -> None:
    one, other = [await open_console(browser, address, QUESTION) for _ in range(2)]
    await subscribe(one, 6)
    await subscribe(other, 6)

    await one.send("reply", "To all")
    await expect(received(other, "new_reply")).to_contain_text("To all")
    await expect(other.place.locator(".traffic .wrong")).to_have_count(0)


async def test_a_refusal_is_shown_for_its_topic(address: str, browser: Any) -> None:
    console = await open_console(browser, address, QUESTION)
    button = console.place.get_by_role("button", name="Subscribe", exact=True)
    await console.place.get_by_label("section in the topic").select_option("closed")
    await button.click()
    await expect(state(console)).to_have_text(
        "Refused: Not allowed to subscribe to 'question:closed:1'"
    )

    await console.place.get_by_label("section in the topic").select_option("open")
    await expect(state(console)).to_have_text("Not subscribed")
    pk = console.place.get_by_label("pk in the topic")
    await pk.fill("x")
    await pk.press("Enter")
    await expect(state(console)).to_contain_text("Refused: Invalid pk in the topic")
    await pk.fill("")
    await expect(console.place.locator(".topic-name")).to_have_text("question:open:{pk}")
    await pk.fill("1:2")
    await expect(console.place.locator(".composer .problems li")).to_contain_text(["topic: "])
    await expect(console.place.locator(".traffic .wrong")).to_have_count(0)
    assert console.complaints == []


async def test_streams_and_requests_of_a_topic(address: str, browser: Any) -> None:
    console = await open_console(browser, address, QUESTION)
    await subscribe(console, 7)

    answer = await console.send("read")
    await expect(answer.locator(".state")).to_have_text("complete")
    await expect(answer.locator("li.item")).to_have_count(40)
    sent = console.sent[1]
    assert list(sent) == ["action", "payload", "topic", "window", "ref"]
    assert (sent["topic"], sent["window"]) == ("question:open:7", 32)
    assert console.sent[2] == {"action": "more", "payload": console.sent[2]["payload"], "ref": "2"}

    question = await console.send("close")
    await expect(question.locator(".problems li")).to_have_count(0)
    await question.get_by_role("button", name="Answer", exact=True).click()
    await expect(question.locator(".state")).to_have_text("answered")
    await expect(received(console, "saved")).to_have_count(1)
    await expect(console.place.locator(".traffic .wrong")).to_have_count(0)
    answered = {"action": "confirmed", "payload": True, "topic": "question:open:7", "ref": "s.1"}
    assert console.sent[-1] == answered


async def test_messages_of_the_consumer_name_no_topic(address: str, browser: Any) -> None:
    console = await open_console(browser, address, QUESTION)
    await expect(console.place.locator("optgroup[label='Of hub'] option")).to_have_count(1)
    await console.send("ping")

    await expect(received(console, "pong")).to_have_count(1)
    await expect(console.place.locator(".traffic .wrong")).to_have_count(0)
    assert [list(frame) for frame in console.sent] == [["action", "payload", "ref"]]


async def test_a_default_topic_is_reached_without_its_name(address: str, browser: Any) -> None:
    tab = await open_tab(browser, f"{address}/asyncapi")
    console = Console(tab, "page_default_topic")
    await console.place.get_by_role("button", name="Try it").click()
    await console.place.get_by_label("section in the path").fill("open")
    await console.place.get_by_label("pk in the path").fill("8")
    await expect(console.place.locator(".topic-name")).to_have_text("default:open:8")
    await console.place.get_by_role("button", name="Connect", exact=True).click()
    await expect(state(console)).to_have_text("Subscribed")

    await console.send("reply", "Hi")
    await expect(received(console, "saved")).to_have_count(1)
    assert console.sent == [{"action": "reply", "payload": "Hi", "ref": "1"}]
    await expect(console.place.locator(".traffic .wrong")).to_have_count(0)

    await console.place.get_by_role("button", name="Disconnect").click()
    await expect(state(console)).to_have_text("Not subscribed")
    await expect(console.place.get_by_role("button", name="Subscribe", exact=True)).to_be_disabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
async def test_topics_fit_every_window(
    address: str, browser: Any, scheme: str, width: int, tmp_path: Path
) -> None:
    viewport = {"width": width, "height": 800}
    console = await open_console(browser, address, QUESTION, viewport=viewport, color_scheme=scheme)
    await subscribe(console, 9)
    await console.send("reply", "Hello")
    await expect(received(console, "new_reply")).to_have_count(1)

    overflow = await console.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    nameless = await console.page.evaluate(
        "[...document.querySelectorAll('input, select, textarea')].filter(control => !control.labels?.length).length"
    )
    await console.place.screenshot(path=tmp_path / f"{scheme}-{width}.png")
    assert overflow <= 0
    assert nameless == 0
