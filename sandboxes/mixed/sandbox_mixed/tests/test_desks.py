"""One topic on the sockets of two processes: what one broadcasts, the other's subscribers get, once."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection

from sandbox_mixed.__main__ import redis_server
from sandbox_mixed.tests.running import Running, django_alone, next_frame, running, until

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module", params=["pubsub", "queue"])
def layer(request: pytest.FixtureRequest) -> str:
    """Each kind of layer."""
    return str(request.param)


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """A server for both processes."""
    with redis_server():
        yield os.environ.pop("REDIS_URL")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(
    layer: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """The process of FastAPI, which has Django mounted."""
    folder: Path = tmp_path_factory.mktemp("site")
    async with running(folder, layer, redis_url) as site:
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def django(both: Running) -> AsyncIterator[Running]:
    """A process of Django alone."""
    async with django_alone(both) as site:
        yield site


async def subscribed(ws: ClientConnection, topic: str) -> None:
    """Subscribe to a topic."""
    await ws.send(json.dumps({"action": "subscribe", "topic": topic, "ref": "1"}))
    assert (await until(ws, "subscribed"))["topic"] == topic


async def asks(ws: ClientConnection, **frame: Any) -> Any:
    """Send a frame and return the answer under its `ref`."""
    await ws.send(json.dumps({**frame, "ref": "asked"}))
    while (answer := await next_frame(ws)).get("ref") != "asked":
        pass
    return answer


async def test_each_process_reaches_the_subscribers_of_the_other(
    both: Running, django: Running
) -> None:
    """Over HTTP, into the desk that it names; a desk without subscription sends nothing."""
    async with both.connect("fastapi") as fastapi, django.connect("django") as other:
        for ws in (fastapi, other):
            await subscribed(ws, "desk:sports")
        for text, desk, site, path in (
            ("Rain", "weather", django, "/headlines/"),
            ("Goal", "sports", django, "/headlines/"),
            ("Storm", "weather", both, "/headlines"),
            ("Match", "sports", both, "/headlines"),
        ):
            status, _ = await site.request(path, {"text": text, "desk": desk}, both.token)
            assert status == 202
        here = [await next_frame(fastapi) for _ in range(2)]
        there = [await until(other, "headline") for _ in range(2)]

    assert [(frame["topic"], frame["payload"]) for frame in here] == [
        ("desk:sports", {"headline_text": "Goal", "sent_from": "django"}),
        ("desk:sports", {"headline_text": "Match", "sent_from": "fastapi"}),
    ]
    assert [(frame["topic"], frame["payload"]) for frame in there] == [
        ("desk:sports", {"headlineText": "Goal", "sentFrom": "django"}),
        ("desk:sports", {"headlineText": "Match", "sentFrom": "fastapi"}),
    ]


async def test_nothing_comes_twice(both: Running) -> None:
    """Although both sides of the process have a layer on the same Redis."""
    async with both.connect("fastapi") as fastapi, both.connect("django") as other:
        for ws in (fastapi, other):
            await subscribed(ws, "desk:sports")
        for text in ("one", "two"):
            await both.request("/headlines", {"text": text, "desk": "sports"})
        for ws, name in ((fastapi, "headline_text"), (other, "headlineText")):
            texts = [(await until(ws, "headline"))["payload"][name] for _ in range(2)]
            assert texts == ["one", "two"]


async def test_a_report_reaches_the_other_process(both: Running, django: Running) -> None:
    """Sent by a subscriber, who is answered under the `ref`."""
    async with both.connect("fastapi") as fastapi, django.connect("django") as other:
        for ws in (fastapi, other):
            await subscribed(ws, "desk:weather")
        report = {"action": "report", "topic": "desk:weather"}
        answer = await asks(fastapi, **report, payload={"news_text": "Sun"})
        heard = await until(other, "news")
        assert answer["payload"]["news_text"] == heard["payload"]["newsText"] == "Sun"
        assert heard["topic"] == "desk:weather"
        answer = await asks(other, **report, payload={"newsText": "Snow"})
        assert answer["payload"]["sentFrom"] == "django"
        assert (await until(fastapi, "news"))["payload"]["sent_from"] == "django"


async def test_a_desk_that_does_not_exist(both: Running, django: Running) -> None:
    """Each side refuses it in the same words."""
    async with both.connect("fastapi") as fastapi, django.connect("django") as other:
        refusals = [
            (await asks(ws, action="subscribe", topic="desk:gossip"))["payload"]
            for ws in (fastapi, other)
        ]
    assert refusals[0] == refusals[1]
    assert refusals[0]["reason"] == "invalid_topic"
