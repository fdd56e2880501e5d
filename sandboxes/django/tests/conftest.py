"""Fixtures of the sandbox's tests."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import django
import pytest
from channels.layers import get_channel_layer
from django.test import override_settings

from config.layers import channel_layer
from tests.support import Served, clean_environment, serving

# Before the settings are read: the tests wait for completion frames instead of for time to pass.
os.environ.update(
    clean_environment({"DJANGO_SETTINGS_MODULE": "config.settings", "ASSISTANT_PAUSE": "0"})
)
django.setup()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker for runs without the repository's settings."""
    config.addinivalue_line("markers", "browser: needs a real Chromium")


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """A Valkey server of the whole run, empty for each test."""
    return valkey_url


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
