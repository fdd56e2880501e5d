"""Events from code that is not async, outside of the servers."""

import sys
from collections import Counter

import pytest

from sandbox_servers import publish
from sandbox_servers.tests.peers import ask, client, receive
from sandbox_servers.tests.program import Program
from sandbox_servers.tests.served import serving
from sandbox_servers.tests.servers import APPLICATIONS
from sandbox_servers.tests.valkey import valkey_server


@pytest.mark.parametrize("application", APPLICATIONS)
@pytest.mark.parametrize("room", ["queue", "pubsub"])
async def test_sync_twins_leave_nothing_behind(application: str, room: str, case: str) -> None:
    """Called 5 times from a script, from each of its 4 threads, and again: every event arrives.

    Afterwards the script has no connection, no thread and no event loop left, and no warning was raised.
    """
    with valkey_server() as valkey, serving("uvicorn", application, valkey.url) as served:
        async with client(served.url(room, case=case)) as peer:
            channel = (await ask(peer, "where"))["payload"]
            command = ("-m", "sandbox_servers.publish", f"on_{application}", room, case, channel)
            environment = {"REDIS_URL": valkey.url}
            with Program.run(sys.executable, *command, environment=environment) as script:
                told = Counter([(await receive(peer))["payload"] for _ in expected()])
                script.prints("published")
                during = valkey.clients()
                script.press_enter()
                assert script.ends() == 0, script.output()
            after = valkey.clients()
            assert told == Counter(expected())
            assert during == after
            assert script.lines[-1] == "threads ['MainThread']\n"
            assert "Warning" not in script.output()


def expected() -> list[str]:
    """Return what the script tells, in no order."""
    names = ["script", *(f"thread {number}" for number in range(publish.THREADS)), "again"]
    words = [f"{name}:{number}" for name in names for number in range(publish.CALLS)]
    return [*words, *(f"{word}:own" for word in words)]
