"""Events from a process of its own, with a real Redis between."""

import json
import sys
from collections.abc import AsyncIterator, Mapping

import pytest
from websockets.asyncio.client import ClientConnection, connect

from sandbox_fastapi.tests.support import (
    SANDBOX,
    Demo,
    finished,
    free_port,
    join,
    receive_until,
)

SENDER = (sys.executable, str(SANDBOX / "sandbox_fastapi" / "external_sender.py"))
PLACES = ["chat", "reliable", "notifications", "analytics"]


@pytest.fixture
async def clients(demo: Demo) -> AsyncIterator[Mapping[str, ClientConnection]]:
    """A client in each place of the running sandbox."""
    connected: dict[str, ClientConnection] = {}
    for place in PLACES:
        connected[place] = await connect(f"{demo.ws}/ws/{place}", proxy=None)
        await join(connected[place])
    yield connected
    for client in connected.values():
        await client.close()


async def next_notice(client: ClientConnection) -> str:
    """Return the next notice of the server."""
    notice: str = (await receive_until(client, "system_notice"))[-1]["payload"]
    return notice


async def test_one_message_everywhere(demo: Demo, clients: Mapping[str, ClientConnection]) -> None:
    """It finds the Redis server of the demo by its port."""
    run = await finished(*SENDER, "--port", str(demo.port), "--message", "Hello")

    assert run.code == 0, run.err
    assert run.out.splitlines() == [f"Sent to {place}: Hello" for place in PLACES]
    assert [await next_notice(clients[place]) for place in PLACES] == ["Hello"] * 4


async def test_it_asks(demo: Demo, clients: Mapping[str, ClientConnection]) -> None:
    """Where to and what, until the input ends; mistakes are said."""
    typed = "chat\nfor chat\nnowhere\nchat\n\nnotifications\nfor notifications\n"
    run = await finished(*SENDER, "--port", str(demo.port), typed=typed)

    assert run.code == 0, run.err
    assert "'nowhere' is no destination." in run.out
    assert "Not sent: String should have at least 1 character." in run.out
    assert await next_notice(clients["chat"]) == "for chat"
    assert await next_notice(clients["notifications"]) == "for notifications"


async def test_without_a_sandbox() -> None:
    """One sentence that says what to do."""
    run = await finished(*SENDER, "--port", str(free_port()), "--message", "Hello")

    assert run.code == 1
    assert run.err.count("\n") == 1
    assert "start start_dev.py, or set REDIS_URL" in run.err


async def test_a_redis_that_does_not_answer() -> None:
    """As start_dev.py says it."""
    url = f"redis://127.0.0.1:{free_port()}/0"
    run = await finished(*SENDER, "--message", "Hello", environment={"REDIS_URL": url})

    assert run.code == 1
    assert "connection refused" in run.err
    assert run.err.count("\n") == 1


async def test_frames_are_what_the_document_says(
    demo: Demo, clients: Mapping[str, ClientConnection]
) -> None:
    """An event becomes a message of the consumer."""
    await finished(*SENDER, "--port", str(demo.port), "--to", "chat", "--message", " spaces ")
    frames = await receive_until(clients["chat"], "system_notice")

    assert json.loads(json.dumps(frames[-1])) == {"action": "system_notice", "payload": "spaces"}
