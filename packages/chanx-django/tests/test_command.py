"""`manage.py generate_asyncapi_schema`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from chanx.asyncapi import ConsumerRoute
from chanx.channels.discovery import DjangoRouteDiscovery
from chanx.channels.routing import path
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage


class CaféConsumer(AsyncJsonWebsocketConsumer):
    """Crème."""

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> None: ...


application = ProtocolTypeRouter({"websocket": URLRouter([path("ws/", CaféConsumer.as_asgi())])})
nothing = ProtocolTypeRouter({"websocket": URLRouter([])})


@pytest.fixture(autouse=True)
def _project() -> Iterator[None]:
    with override_settings(ASGI_APPLICATION=f"{__name__}.application"):
        yield


def written(**options: Any) -> str:
    out = StringIO()
    call_command("generate_asyncapi_schema", stdout=out, **options)
    return out.getvalue()


def test_yaml_by_default_and_json() -> None:
    as_yaml, as_json = written(), written(format="json")

    assert yaml.safe_load(as_yaml) == json.loads(as_json)
    assert as_json.startswith('{\n  "asyncapi": "3.0.0"')
    assert "Crème." in as_json
    assert "Crème." in as_yaml
    assert json.loads(as_json)["servers"] == {
        "development": {"host": "localhost:8000", "protocol": "ws"}
    }


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "asyncapi.yaml"

    said = written(file=file)

    assert said == f"AsyncAPI schema successfully generated: {file}\n"
    assert file.read_text(encoding="utf-8") == written()


def test_the_command_line_wins_over_the_settings() -> None:
    settings = {
        "ASYNCAPI_TITLE": "Chat",
        "ASYNCAPI_VERSION": "2.0.0",
        "WEBSOCKET_BASE_URL": "ws://a.example",
        "ASYNCAPI_SERVER_PROTOCOL": "ws",
    }
    with override_settings(CHANX=settings):
        plain = json.loads(written(format="json"))
        said = json.loads(
            written(
                format="json",
                base_url="wss://b.example/x",
                title="Talk",
                api_version="3.0.0",
                description="All of it",
            )
        )

    assert plain["info"] == {"title": "Chat", "version": "2.0.0"}
    assert plain["servers"]["production"] == {"host": "a.example", "protocol": "ws"}
    assert said["info"] == {"title": "Talk", "version": "3.0.0", "description": "All of it"}
    assert said["servers"]["production"] == {
        "host": "b.example",
        "protocol": "wss",
        "pathname": "/x",
    }


def test_servers_and_security_schemes_of_the_settings() -> None:
    schemes = {"token": {"type": "http", "scheme": "bearer"}}
    servers = {"public": {"host": "c.example", "protocol": "wss"}}
    settings = {"ASYNCAPI_SERVERS": servers, "ASYNCAPI_SECURITY_SCHEMES": schemes}
    with override_settings(CHANX=settings):
        document = json.loads(written(format="json"))

    assert document["servers"]["public"]["host"] == "c.example"
    assert document["components"]["securitySchemes"] == schemes


def test_nothing_to_describe_is_said() -> None:
    error = StringIO()
    with override_settings(ASGI_APPLICATION=f"{__name__}.nothing"):
        written_all_the_same = written(stderr=error)

    assert "ASGI_APPLICATION serves no consumer." in error.getvalue()
    assert yaml.safe_load(written_all_the_same)["asyncapi"] == "3.0.0"


def test_failures_are_one_sentence(tmp_path: Path) -> None:
    missing = tmp_path / "no" / "such" / "folder.yaml"
    with pytest.raises(CommandError, match=r"^Failed to generate schema: .*No such file"):
        written(file=missing)
    nowhere = override_settings(ASGI_APPLICATION="nowhere.application")
    with nowhere, pytest.raises(CommandError, match=r"^Failed to generate schema: .*nowhere"):
        written()


UNRESOLVED = """
from __future__ import annotations
from typing import TYPE_CHECKING
from channels.routing import ProtocolTypeRouter, URLRouter
from chanx.channels import AsyncJsonWebsocketConsumer, path, ws_handler
if TYPE_CHECKING:
    from chanx.messages.incoming import PingMessage as OnlyForTypeCheckers


class UnresolvedConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: OnlyForTypeCheckers) -> None: ...


application = ProtocolTypeRouter(
    {"websocket": URLRouter([path("ws/", UnresolvedConsumer.as_asgi())])}
)
"""


def test_a_type_that_does_not_exist_at_run_time_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unresolved.py").write_text(UNRESOLVED)
    # pytest does not annotate its argument.
    monkeypatch.syspath_prepend(str(tmp_path))  # pyright: ignore[reportUnknownMemberType]
    with (
        override_settings(ASGI_APPLICATION="unresolved.application"),
        pytest.raises(CommandError, match=r"^Failed to generate schema: .*OnlyForTypeCheckers"),
    ):
        written()


class OneMore(DjangoRouteDiscovery):
    """Documents a consumer that another process serves."""

    def discover_routes(self) -> tuple[ConsumerRoute, ...]:
        return (*super().discover_routes(), ConsumerRoute("/more", (), CaféConsumer))


def test_a_discovery_class_says_which_routes_there_are() -> None:
    document = json.loads(written(format="json", discovery_class=f"{__name__}.OneMore"))

    addresses = [channel["address"] for channel in document["channels"].values()]
    assert addresses == ["/ws/", "/more"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nowhere.Discovery", "nowhere"),
        (f"{__name__}.Missing", "Missing"),
        (f"{__name__}.application", "--discovery-class.*discover_routes"),
    ],
)
def test_a_wrong_discovery_class_is_named(name: str, problem: str) -> None:
    with pytest.raises(CommandError, match=f"^Failed to generate schema: .*{problem}"):
        written(discovery_class=name)


WITHOUT_EXTRA = """
import sys
sys.modules["chanx.asyncapi"] = None
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["channels", "chanx.channels"])
django.setup()
from django.core.management import call_command
from django.core.management.base import CommandError
try:
    call_command("generate_asyncapi_schema")
except CommandError as error:
    assert 'pip install "chanx-django[asyncapi]"' in str(error), error
else:
    raise AssertionError("ran")
call_command("check")
"""


def test_the_missing_extra_is_named() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_EXTRA], check=True)
