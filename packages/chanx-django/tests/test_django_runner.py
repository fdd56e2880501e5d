"""Test cases under the test runner of Django, and transactions of tests under that of pytest, too."""

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
# In a file, because a database in memory ignores that its connection is closed.
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db", "TEST": {"NAME": "test_db"}}
}
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "chanx.channels"]
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": []}
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

TRANSACTIONS = """
import pytest
from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import connection
from django.test import TestCase
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission, IsAuthenticated

from chanx.channels.authenticator import DjangoAuthenticator
from chanx.channels.testing import DjangoWebsocketCommunicator
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage


class ByName(BaseAuthentication):
    def authenticate(self, request):
        return User.objects.get(username=request.headers["name"]), None


class Exists(BasePermission):
    def has_permission(self, request, view):
        return User.objects.filter(pk=request.user.pk).exists()


class NameAuthenticator(DjangoAuthenticator):
    authentication_classes = (ByName,)
    permission_classes = (IsAuthenticated,)


class PingConsumer(AsyncJsonWebsocketConsumer):
    authenticator_class = NameAuthenticator

    @ws_handler(guards=[Exists])
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        assert await database_sync_to_async(User.objects.count)() == 1
        return PongMessage()


async def ping():
    application, headers = PingConsumer.as_asgi(), [(b"name", b"ada")]
    async with DjangoWebsocketCommunicator(application, "/", headers, consumer=PingConsumer) as ws:
        await ws.assert_authenticated_status_ok(max_auth_time=10)
        assert await ws.request(PingMessage(), timeout=10) == PongMessage()


class PingTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        User.objects.create(username="ada")

    async def test_async(self):
        await ping()
        assert await User.objects.acount() == 1

    def test_sync(self):
        async_to_sync(ping)()
        assert User.objects.count() == 1


@pytest.mark.django_db
def test_pytest_django():
    User.objects.create(username="ada")
    async_to_sync(ping)()
    assert User.objects.count() == 1
    connection.check_constraints()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two test cases of one test each, and with tests in transactions."""
    files = {
        "manage": MANAGE,
        "project_settings": SETTINGS,
        "test_ping": TESTS,
        "transactions": TRANSACTIONS,
    }
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=project, capture_output=True, text=True, timeout=50
    )


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        pytest.param(["test_ping.PingTests.test_ping"], 1, id="one test by name"),
        pytest.param(["--parallel=2"], 2, id="all tests in two processes"),
    ],
)
def test_tests_run_as_django_selects_them(project: Path, arguments: list[str], count: int) -> None:
    result = run(project, "manage.py", "test", *arguments)

    assert result.returncode == 0, result.stderr
    assert f"Ran {count} test" in result.stderr


def test_connections_keep_the_transaction_of_a_test_case(project: Path) -> None:
    result = run(project, "manage.py", "test", "transactions")

    assert result.returncode == 0, result.stderr
    assert "Ran 2 tests" in result.stderr


def test_connections_keep_the_transaction_of_pytest_django(project: Path) -> None:
    options = ("-p", "no:cacheprovider", "--ds=project_settings", "--rootdir=.")
    result = run(project, "-m", "pytest", *options, "transactions.py")

    assert result.returncode == 0, result.stdout
    assert "3 passed" in result.stdout
