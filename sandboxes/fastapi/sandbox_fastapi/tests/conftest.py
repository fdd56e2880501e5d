"""Fixtures of the sandbox's tests."""

import os
import sys
from collections.abc import AsyncIterator

import pytest

from sandbox_fastapi.layers import close_layers, setup_layers
from sandbox_fastapi.tests.support import START_DEV, Demo, Program, free_port

# Before the consumers are imported: the tests wait for completion frames instead of for time to pass.
os.environ["SEND_COMPLETION"] = "yes"
os.environ["LOG_WEBSOCKET"] = "no"
os.environ.pop("REDIS_URL", None)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker for runs without the repository's settings."""
    config.addinivalue_line("markers", "browser: needs a real Chromium")


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """A Valkey server of the whole run, empty for each test."""
    return valkey_url


@pytest.fixture(params=["memory", "redis"])
async def layers(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Every kind of channel layer, one after the other."""
    setup_layers(None if request.param == "memory" else request.getfixturevalue("redis_url"))
    yield
    await close_layers()
    setup_layers(None)


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    """The demo as a user starts it, on a free port, with a Valkey of its own."""
    port = free_port()
    async with Program.run(sys.executable, str(START_DEV), "--port", str(port)) as program:
        await program.prints("Ctrl+C stops everything")
        yield Demo(program, port)
