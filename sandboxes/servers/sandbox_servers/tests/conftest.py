"""Fixtures of the tests: the servers, and the proof that nothing is left behind."""

import re
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from uuid import uuid4

import pytest

from sandbox_servers.tests.peers import ask, client
from sandbox_servers.tests.served import Served, State, serving
from sandbox_servers.tests.servers import APPLICATIONS, SERVERS
from sandbox_servers.tests.valkey import Valkey, valkey_server

STACKS = [(server, application) for application in APPLICATIONS for server in SERVERS]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options for the long and the short variants."""
    parser.addoption("--soak", action="store_true", help="run the long variants, for minutes")
    parser.addoption("--quick", action="store_true", help="repeat less")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker that says what a test makes the server log."""
    config.addinivalue_line(
        "markers", "logs(pattern): failures that the server reports as it should"
    )


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether the long variants are asked for."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture
def quick(request: pytest.FixtureRequest) -> bool:
    """Whether fewer repetitions are asked for."""
    return bool(request.config.getoption("--quick"))


@pytest.fixture
def case() -> str:
    """A name under which the application notes what happened in this test."""
    return uuid4().hex


@pytest.fixture(scope="session")
def valkey() -> Generator[Valkey]:
    """The Redis-protocol server of the whole run."""
    with valkey_server() as running:
        yield running


@pytest.fixture(scope="session", params=STACKS, ids="-".join)
def running(request: pytest.FixtureRequest, valkey: Valkey) -> Generator[Served]:
    """Each application under each server, one after the other."""
    server, application = request.param
    with serving(server, application, valkey.url) as served:
        yield served
    assert not served.trouble()


@pytest.fixture
async def served(running: Served, request: pytest.FixtureRequest) -> AsyncGenerator[Served]:
    """The running server, which must have no more tasks and connections after a test than before.

    Whatever it reports as a failure fails the test, unless the marker `logs` names it.
    """
    # The layers start tasks when they are first used, and keep them.
    for room in ("queue", "pubsub"):
        async with client(running.url(room, case="warm")) as peer:
            await ask(peer, "ping")
    before = await running.until(lambda state: state["connections"] == 0)
    yield running
    await running.until(lambda state: _is_quiet(before, state), within=30)
    await running.written()
    patterns = [mark.args[0] for mark in request.node.iter_markers("logs")]
    trouble = [
        line
        for line in running.trouble()
        if not any(re.search(pattern, line) for pattern in patterns)
    ]
    assert not trouble


def _is_quiet(before: State, after: State) -> bool:
    return after["connections"] == 0 and not Counter(after["tasks"]) - Counter(before["tasks"])
