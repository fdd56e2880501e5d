"""`manage.py check`, in projects of their own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SETTINGS = """
SECRET_KEY = "of a project"
INSTALLED_APPS = ["channels", "chanx.channels", "chat"]
ASGI_APPLICATION = "chat.asgi.application"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
"""
CONSUMERS = """
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage

class Base(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> None: ...

class ChatConsumer(Base):
    groups = ["chat"]
"""
ASGI = """
from channels.routing import ProtocolTypeRouter, URLRouter
from chanx.channels.routing import path
from chat.consumers import ChatConsumer

application = ProtocolTypeRouter(
    {"websocket": URLRouter([path("ws/", ChatConsumer.as_asgi())])}
)
"""
APPS = """
from django.apps import AppConfig

class ChatConfig(AppConfig):
    name = "chat"

    def ready(self):
        pass
"""

# Imports what every check needs, once, and forks for each: most of the time of a check would go into imports.
CHECKER = """
import json
import os
import sys

from django.core.management import execute_from_command_line

import chanx.channels.checks
import rest_framework


def check(folder, arguments, workers):
    output = os.open(f"{folder}/said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    sys.path.insert(0, folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    os.environ.pop("WEB_CONCURRENCY", None)
    if workers is not None:
        os.environ["WEB_CONCURRENCY"] = workers
    try:
        execute_from_command_line(["manage.py", "check", *arguments])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


for line in sys.stdin:
    process = os.fork()
    if not process:
        try:
            check(**json.loads(line))
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(0)
    os.waitpid(process, 0)
    print("done", flush=True)
"""


class Checker:
    """A process that checks one project after the other."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def check(self, folder: Path, **order: Any) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps({'folder': str(folder), **order})}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"
        return (folder / "said").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with subprocess.Popen(
        [sys.executable, "-c", CHECKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Checker(process)


class Project:
    """The files of a project, and what its check says."""

    def __init__(self, folder: Path, checker: Checker) -> None:
        self.folder = folder
        self._checker = checker
        (folder / "chat").mkdir()
        self.write("settings.py", SETTINGS)
        for name, text in {
            "__init__.py": "",
            "consumers.py": CONSUMERS,
            "asgi.py": ASGI,
            "apps.py": APPS,
        }.items():
            self.write(f"chat/{name}", text)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def add(self, name: str, text: str) -> None:
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")

    def check(self, *options: str, workers: str | None = None, tag: str = "chanx") -> str:
        return self._checker.check(self.folder, arguments=["--tag", tag, *options], workers=workers)


@pytest.fixture
def project(tmp_path: Path, checker: Checker) -> Project:
    return Project(tmp_path, checker)


def test_nothing_is_said_about_a_sound_project(project: Project) -> None:
    assert "no issues" in project.check()


def test_wrong_settings(project: Project) -> None:
    project.add("settings.py", "CHANX = {'CAMELISE': True, 'SEND_COMPLETION': 'yes'}")

    said = project.check()

    assert "(chanx.E001) There is no CHANX setting 'CAMELISE'. Did you mean 'CAMELIZE'?" in said
    assert "(chanx.E001) CHANX['SEND_COMPLETION'] is 'yes'." in said


def test_settings_of_the_single_package(project: Project) -> None:
    """They are known, so the project runs; the check says why they have no effect."""
    unused = {"ASYNCAPI_DOCS_CSS_URL": "https://cdn.example/x.css", "ASYNCAPI_CAMELIZE": True}
    project.add("settings.py", f"CHANX = {unused | {'SEND_COMPLETION': True}}")

    said = project.check()

    assert "E001" not in said
    assert "(chanx.W009) CHANX['ASYNCAPI_DOCS_CSS_URL'] is ignored: the page of the" in said
    assert "(chanx.W009) CHANX['ASYNCAPI_CAMELIZE'] is ignored: the document spells" in said


def test_a_layer_that_is_not_configured(project: Project) -> None:
    project.add("chat/consumers.py", "ChatConsumer.channel_layer_alias = 'chat'")

    said = project.check()

    assert "(chanx.E002) ChatConsumer uses the channel layer 'chat'" in said
    assert "HINT: It has: 'default'." in said


@pytest.mark.parametrize(
    "needing",
    [
        "groups = ['chat']",
        "extra_groups = ['chat']",
        "async def get_groups(self) -> list[str]: return ['chat']",
    ],
)
def test_no_layer_at_all(project: Project, needing: str) -> None:
    """Groups and events work, in one process."""
    project.add("settings.py", "CHANNEL_LAYERS = {}")
    project.write("chat/consumers.py", CONSUMERS.replace('groups = ["chat"]', needing))

    said = project.check("--deploy", workers="4")

    assert "(chanx.W002) ChatConsumer has groups or events, and CHANNEL_LAYERS is empty" in said
    assert "channels_redis.pubsub.RedisPubSubChannelLayer" in said
    assert "chanx.W005" in said
    assert "chanx.W006" in said


def test_no_default_layer(project: Project) -> None:
    """Where there are others, nobody guesses."""
    project.add("settings.py", "CHANNEL_LAYERS = {'other': CHANNEL_LAYERS['default']}")

    assert "has groups or events, but there is no default channel layer" in project.check()


def test_no_layer_of_an_alias_that_is_written_down(project: Project) -> None:
    project.add("settings.py", "CHANNEL_LAYERS = {}")
    project.add("chat/consumers.py", "class Named(ChatConsumer):\n channel_layer_alias = 'default'")

    assert "(chanx.W002) Named has groups or events, but there is no default" in project.check()


def test_a_consumer_without_groups_needs_no_layer(project: Project) -> None:
    project.add("settings.py", "CHANNEL_LAYERS = {}")
    project.write("chat/consumers.py", CONSUMERS.replace('groups = ["chat"]', "pass"))

    assert "no issues" in project.check("--deploy", workers="4")


def test_a_consumer_without_a_route(project: Project) -> None:
    """Base classes and those of tests have none."""
    project.add("chat/consumers.py", "class LostConsumer(Base):\n    pass")
    project.write("chat/tests.py", CONSUMERS.replace("ChatConsumer", "TestConsumer"))
    project.add("chat/apps.py", "        from chat import tests")

    said = project.check()

    assert "(chanx.W004) No route leads to LostConsumer." in said
    assert "1 issue" in said


def test_consumers_that_nothing_else_imports_are_found(project: Project) -> None:
    """A module that fails is not a reason to stop: whoever routes to it is told."""
    (project.folder / "other").mkdir()
    project.write("other/__init__.py", "")
    project.write("other/consumers.py", CONSUMERS.replace("ChatConsumer", "OtherConsumer"))
    (project.folder / "broken").mkdir()
    project.write("broken/__init__.py", "")
    project.write("broken/consumers.py", "import nothing_of_this_name")
    project.add("settings.py", "INSTALLED_APPS += ['other', 'broken']")

    assert "(chanx.W004) No route leads to OtherConsumer." in project.check()


def test_a_project_without_consumers(project: Project) -> None:
    """The library's own base class is none of a project's."""
    project.write("chat/consumers.py", "")
    project.write("chat/asgi.py", ASGI.partition("from chanx")[0] + "application = URLRouter([])")

    assert "no issues" in project.check()


def test_no_application(project: Project) -> None:
    project.add("settings.py", "del ASGI_APPLICATION")
    assert "(chanx.W003) ASGI_APPLICATION is not set, so nothing serves ChatConsumer" in (
        project.check()
    )
    project.add("settings.py", "ASGI_APPLICATION = 'nowhere.application'")
    assert "(chanx.E003) ASGI_APPLICATION cannot be loaded" in project.check()


@pytest.mark.parametrize(("workers", "is_said"), [("4", True), ("1", False), ("auto", False)])
def test_several_workers_with_a_layer_in_memory(
    project: Project, workers: str, is_said: bool
) -> None:
    said = project.check(workers=workers)

    assert ("(chanx.W005) WEB_CONCURRENCY starts 4 processes" in said) is is_said


def test_deployment_with_a_layer_in_memory(project: Project) -> None:
    redis = "{'default': {'BACKEND': 'channels_redis.pubsub.RedisPubSubChannelLayer'}}"
    assert "(chanx.W006) The default channel layer is in memory" in project.check("--deploy")
    project.add("settings.py", f"CHANNEL_LAYERS = {redis}")
    assert "chanx.W00" not in project.check("--deploy", workers="4")


URLS = """
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.urls import include, path
from chanx.channels.views import AsyncAPIDocsView, AsyncAPISchemaView

class Own(AsyncAPISchemaView):
    pass

class Restricted(LoginRequiredMixin, AsyncAPISchemaView):
    pass

urlpatterns = [path("api/", include([{}]))]
"""


@pytest.fixture
def routed(project: Project) -> Project:
    """A project whose layer is sound."""
    project.add("settings.py", "ROOT_URLCONF = 'urls'")
    project.add(
        "settings.py", "INSTALLED_APPS += ['django.contrib.auth', 'django.contrib.contenttypes']"
    )
    project.add("settings.py", "SILENCED_SYSTEM_CHECKS = ['chanx.W006']")
    project.write("urls.py", URLS.format("path('', include('chanx.channels.urls'))"))
    return project


def test_a_public_document(routed: Project) -> None:
    said = routed.check("--deploy")

    assert (
        "ROOT_URLCONF routes AsyncAPIClientView and AsyncAPIDocsView and AsyncAPISchemaView" in said
    )
    assert "HINT: Set CHANX = {'ASYNCAPI_ACCESS': 'chanx.channels.access.staff_only'}" in said
    assert "chanx.W007" not in routed.check()
    assert "chanx.W007" in routed.check("--deploy", tag="security")


@pytest.mark.parametrize(
    ("route", "is_said"),
    [
        ("path('', Own.as_view())", True),
        ("path('', Restricted.as_view())", False),
        ("path('', login_required(Own.as_view()))", False),
        ("", False),
    ],
)
def test_a_document_of_a_view_of_the_project(routed: Project, route: str, is_said: bool) -> None:
    routed.write("urls.py", URLS.format(route))

    assert ("routes Own, and" in routed.check("--deploy")) is is_said


@pytest.mark.parametrize(
    "setting",
    [
        "CHANX = {'ASYNCAPI_ACCESS': 'chanx.channels.access.staff_only'}",
        "MIDDLEWARE = ['django.contrib.auth.middleware.LoginRequiredMiddleware']",
        "SILENCED_SYSTEM_CHECKS += ['chanx.W007']",
        "del ROOT_URLCONF",
    ],
)
def test_a_document_that_is_not_public(routed: Project, setting: str) -> None:
    routed.add("settings.py", setting)

    assert "no issues" in routed.check("--deploy")


@pytest.mark.parametrize("wrong", ["'x'", "{'ASYNCAPI_ACCESS': 5}"])
def test_a_public_document_and_wrong_settings(routed: Project, wrong: str) -> None:
    routed.add("settings.py", f"CHANX = {wrong}")

    said = routed.check("--deploy")

    assert "chanx.E001" in said
    assert "chanx.W007" not in said


def test_an_address_that_is_routed_twice(project: Project) -> None:
    routes = """path("ws/<int:pk>/", ChatConsumer.as_asgi()), path("ws/<slug:pk>/", ChatConsumer.as_asgi()),
        path("ws/<int:other>/", ChatConsumer.as_asgi())"""
    project.write("chat/asgi.py", ASGI.replace('path("ws/", ChatConsumer.as_asgi())', routes))

    said = project.check()

    assert said.count("chanx.W008") == 1
    assert "(chanx.W008) /ws/{other}/ is routed twice: ChatConsumer serves it" in said
