"""What the command line is told about a project."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from channels.routing import ProtocolTypeRouter, URLRouter
from django.test import override_settings

from chanx.asyncapi.discovery import Target
from chanx.channels.discovery import discover
from chanx.channels.routing import path
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage


class PingConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


router = URLRouter([path("ping/", PingConsumer.as_asgi())])


class Wrapped:
    def __init__(self, inner: Any) -> None:
        self.inner = inner


@pytest.mark.parametrize(
    "application",
    [router, ProtocolTypeRouter({"websocket": Wrapped(router)}), Wrapped(router)],
    ids=range(3),
)
@override_settings(
    CHANX={
        "ASYNCAPI_TITLE": "Shop",
        "ASYNCAPI_DESCRIPTION": "Sells",
        "ASYNCAPI_SERVER_URL": "wss://shop.example",
        "ASYNCAPI_SPEC_VERSION": "3.1.0",
    }
)
def test_an_application_of_channels(application: Any) -> None:
    found = discover(Target("shop.asgi:application", application))

    assert found is not None
    assert [route.address for route in found.routes] == ["/ping/"]
    assert found.options.title == "Shop"
    assert found.options.description == "Sells"
    assert found.options.server_url == "wss://shop.example"
    assert found.options.asyncapi_version == "3.1.0"


@pytest.mark.parametrize("value", [object(), ModuleType("other")])
def test_what_is_no_project_is_nobodys(value: object) -> None:
    assert discover(Target("it", value)) is None


SETTINGS = """
SECRET_KEY = "of the tests"
INSTALLED_APPS = ["channels", "chanx.channels"]
ASGI_APPLICATION = "project_asgi.application"
CHANX = {"ASYNCAPI_TITLE": "Shop", "ASYNCAPI_SERVERS": {"main": {"host": "a", "protocol": "ws"}}}
"""
ASGI = """
from channels.routing import ProtocolTypeRouter, URLRouter
from chanx.channels.routing import path
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage

class PingConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> None: ...

application = ProtocolTypeRouter({"websocket": URLRouter([path("ping/", PingConsumer.as_asgi())])})
"""


def test_a_settings_module(tmp_path: Path) -> None:
    (tmp_path / "project_settings.py").write_text(SETTINGS)
    (tmp_path / "project_asgi.py").write_text(ASGI)
    code = """
from importlib import import_module
from chanx.asyncapi import generate_document, to_json_text
from chanx.asyncapi.discovery import Target, discover
found = discover(Target("project_settings", import_module("project_settings")))
print(to_json_text(generate_document(*found)))
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True
    )
    document = json.loads(done.stdout)

    assert document["info"]["title"] == "Shop"
    assert document["servers"] == {"main": {"host": "a", "protocol": "ws"}}
    assert document["channels"]["ping"]["address"] == "/ping/"
