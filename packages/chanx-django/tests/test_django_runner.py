"""`WebsocketTestCase` under Django's own test runner."""

import subprocess
import sys
from pathlib import Path

import pytest

MANAGE = """
import os
import sys

from django.core.management import execute_from_command_line

os.environ["DJANGO_SETTINGS_MODULE"] = "project_settings"
execute_from_command_line(sys.argv)
"""

SETTINGS = """
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = ["chanx.channels"]
SECRET_KEY = "of the tests"
"""

TESTS = """
from chanx.channels.testing import WebsocketTestCase
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core import open_connections
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage


class PingConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


class PingTests(WebsocketTestCase):
    consumer = PingConsumer
    router = PingConsumer.as_asgi()
    ws_path = "/"

    async def test_ping(self):
        assert await self.auth_communicator.request(PingMessage()) == PongMessage()
        assert open_connections() == 1

    def tearDown(self):
        assert open_connections() == 0
        super().tearDown()


class MorePingTests(PingTests):
    pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two test cases of one test each."""
    for name, text in {"manage": MANAGE, "project_settings": SETTINGS, "test_ping": TESTS}.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        pytest.param(["test_ping.PingTests.test_ping"], 1, id="one test by name"),
        pytest.param(["--parallel=2"], 2, id="all tests in two processes"),
    ],
)
def test_tests_run_as_django_selects_them(project: Path, arguments: list[str], count: int) -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "test", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=50,
    )

    assert run.returncode == 0, run.stderr
    assert f"Ran {count} test" in run.stderr
