"""One import line for what a project needs."""

import importlib
import subprocess
import sys
from typing import Any, Literal

from channels.routing import URLRouter

import chanx.channels
from chanx.channels import (
    AsyncJsonWebsocketConsumer,
    BaseAuthenticator,
    BaseMessage,
    DeniedError,
    DjangoAuthenticator,
    Guard,
    Limits,
    MessageError,
    PingMessage,
    PongMessage,
    channel,
    drain,
    event_handler,
    include,
    lifespan,
    path,
    re_path,
    ws_handler,
)
from chanx.testing import WebsocketCommunicator

# Any: classes and functions.
OFFERED: dict[str, list[Any]] = {
    "chanx.channels.authenticator": [DjangoAuthenticator],
    "chanx.channels.routing": [include, path, re_path],
    "chanx.channels.websocket": [AsyncJsonWebsocketConsumer],
    "chanx.core.authenticator": [BaseAuthenticator],
    "chanx.core.decorators": [channel, event_handler, ws_handler],
    "chanx.core.exceptions": [DeniedError, MessageError],
    "chanx.core.guards": [Guard],
    "chanx.core.limits": [Limits],
    "chanx.core.shutdown": [drain, lifespan],
    "chanx.messages.base": [BaseMessage],
    "chanx.messages.incoming": [PingMessage],
    "chanx.messages.outgoing": [PongMessage],
}


class NewsEvent(BaseMessage):
    action: Literal["news"] = "news"
    payload: str


@channel(name="desk")
class DeskConsumer(AsyncJsonWebsocketConsumer[NewsEvent]):
    limits = Limits(max_pending=8)

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()

    @event_handler
    async def handle_news(self, event: NewsEvent) -> NewsEvent:
        return event


def test_every_name_is_the_one_of_its_module() -> None:
    offered = [(module, item) for module, items in OFFERED.items() for item in items]

    for module, item in offered:
        assert getattr(importlib.import_module(module), item.__name__) is item
    assert sorted(item.__name__ for _, item in offered) == chanx.channels.__all__
    assert set(chanx.channels.__all__) <= set(dir(chanx.channels))


async def test_the_names_make_an_application() -> None:
    app = URLRouter([path("ws/", DeskConsumer.as_asgi())])

    async with WebsocketCommunicator(app, "/ws/", consumer=DeskConsumer) as ws:
        assert await ws.request(PingMessage()) == PongMessage()


def test_the_application_is_installed_before_anything_is_ready() -> None:
    """Django imports the package to find its AppConfig; models and consumers come later."""
    program = """
import sys
import django
from django.conf import settings

settings.configure(INSTALLED_APPS=["channels", "chanx.channels"], SECRET_KEY="of a test")
import chanx.channels
assert "chanx.channels.websocket" not in sys.modules
django.setup()
from chanx.channels import AsyncJsonWebsocketConsumer
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
