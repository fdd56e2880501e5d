"""What is said on one side is heard on the other, each in its own way of speaking."""

import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection

from sandbox_mixed.tests.running import Running, next_frame, run, running, until

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(params=["pubsub", "queue"], scope="module", loop_scope="module")
async def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """Both sides on each kind of layer, for all tests that leave them as they are."""
    async with running(tmp_path_factory.mktemp("site"), request.param) as site:
        yield site


async def close_code(ws: ClientConnection) -> int:
    """Read to the end."""
    await ws.wait_closed()
    code = ws.close_code
    assert code is not None
    return code


async def ready(fastapi: ClientConnection, django: ClientConnection) -> None:
    """Wait until both are in the newsroom: a message is answered from then on."""
    await until(django, "authentication")
    for ws, answer in ((fastapi, "error"), (django, "complete")):
        await ws.send("{}")
        await until(ws, answer)


async def test_messages_reach_both_sides(site: Running) -> None:
    """Django translates to camel case and marks the end of things, FastAPI does neither."""
    async with site.connect("fastapi") as fastapi, site.connect("django") as django:
        await ready(fastapi, django)

        await fastapi.send(json.dumps({"action": "report", "payload": {"news_text": "one"}}))
        here, there = await next_frame(fastapi), await until(django, "news")
        assert here == {
            "action": "news",
            "payload": {"news_text": "one", "reporter_name": "ada", "sent_from": "fastapi"},
            "is_current": True,
        }
        assert there == {
            "action": "news",
            "payload": {"newsText": "one", "reporterName": "ada", "sentFrom": "fastapi"},
            "isCurrent": False,
        }
        assert await next_frame(django) == {"action": "group_complete", "payload": None}

        await django.send(json.dumps({"action": "report", "payload": {"newsText": "two"}}))
        here, there = await until(django, "news"), await next_frame(fastapi)
        assert (here["payload"]["newsText"], here["isCurrent"]) == ("two", True)
        assert there == {
            "action": "news",
            "payload": {"news_text": "two", "reporter_name": "ada", "sent_from": "django"},
            "is_current": False,
        }


@pytest.mark.parametrize(
    ("path", "sent_from"), [("/headlines", "fastapi"), ("/django/headlines/", "django")]
)
async def test_events_of_either_http_reach_both_sides(
    site: Running, path: str, sent_from: str
) -> None:
    """Sent by a class method of one side's consumer, handled by the other's."""
    async with site.connect("fastapi") as fastapi, site.connect("django") as django:
        await ready(fastapi, django)
        status, _ = await site.request(path, {"text": "extra"}, site.token)

        assert status == 202
        assert (await next_frame(fastapi))["payload"] == {
            "headline_text": "extra",
            "sent_from": sent_from,
        }
        assert (await until(django, "headline"))["payload"] == {
            "headlineText": "extra",
            "sentFrom": sent_from,
        }


async def test_each_side_keeps_its_own_door(site: Running) -> None:
    """One database of tokens; each side turns away as its framework does."""
    for side in ("fastapi", "django"):
        async with site.connect(side, token="wrong") as ws:
            assert await close_code(ws) == 4401
    assert (await site.request("/django/headlines/", {"text": "x"}))[0] == 401


async def test_a_document_for_each_side_and_one_for_both(site: Running) -> None:
    _, fastapi = await site.request("/asyncapi.json")
    _, django = await site.request("/django/asyncapi/schema/")
    _, both = await site.request("/both/asyncapi.json")

    def addresses(document: dict[str, Any]) -> list[tuple[str, str]]:
        """Return the address of each channel, and the pattern of its topic."""
        channels = document["channels"].values()
        return sorted((c["address"], c.get("x-topic", {}).get("pattern", "")) for c in channels)

    assert addresses(fastapi) == [("/ws/news", ""), ("/ws/news", "desk:{desk}")]
    assert [server["pathname"] for server in django["servers"].values()] == ["/django"]
    assert addresses(django) == [("/ws/news/", ""), ("/ws/news/", "desk:{desk}")]
    assert addresses(both) == [
        ("/django/ws/news/", ""),
        ("/django/ws/news/", "desk:{desk}"),
        ("/ws/news", ""),
        ("/ws/news", "desk:{desk}"),
    ]
    assert (speaks(fastapi), speaks(django)) == ({"news_text"}, {"newsText", "group_complete"})
    assert speaks(both) == {"news_text", "newsText", "group_complete"}


def speaks(document: Any) -> set[str]:
    """Return what of the two ways to speak is in a document."""
    text = json.dumps(document)
    return {word for word in ("news_text", "newsText", "group_complete") if word in text}


async def test_a_page_for_each_side(site: Running) -> None:
    for path, title in (
        ("/asyncapi", "The FastAPI side"),
        ("/django/asyncapi/docs/", "The Django side"),
    ):
        status, page = await site.request(path)
        assert status == 200
        assert title in page


async def test_the_demo_shows_who_hears_what(site: Running) -> None:
    said = await run("--port", str(site.port), "demo", environment=site.environment)

    heard = [line.split(maxsplit=2) for line in said.splitlines() if "news" in line]
    assert [(side, way) for side, way, _ in heard] == [
        ("FastAPI", "<-"), ("FastAPI", "->"), ("Django", "->"),
        ("Django", "<-"), ("FastAPI", "->"), ("Django", "->"),
    ]  # fmt: skip
    assert json.loads(heard[2][2])["payload"]["newsText"] == "Hello from FastAPI"
    assert json.loads(heard[4][2])["payload"]["news_text"] == "Hello, Django"


async def test_the_end_of_both_sides(tmp_path: Path) -> None:
    """A signal closes every socket with 1012. Only one side has logged what was said."""
    async with (
        running(tmp_path, "pubsub") as site,
        site.connect("fastapi") as fastapi,
        site.connect("django") as django,
    ):
        await ready(fastapi, django)
        await fastapi.send(json.dumps({"action": "report", "payload": {"news_text": "one"}}))
        await until(django, "news")
        site.process.send_signal(signal.SIGTERM)
        assert [await close_code(fastapi), await close_code(django)] == [1012, 1012]
        assert await site.process.wait() == 0

    assert "Websocket sent (DjangoNewsConsumer, " in site.output
    assert "Websocket received (FastAPINewsConsumer, " not in site.output
    assert "Traceback" not in site.output
