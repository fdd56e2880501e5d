"""One import line for what an application needs."""

import importlib
import subprocess
import sys
from typing import Any, Literal

import pytest
from starlette.applications import Starlette

import chanx.fast_channels
from chanx.fast_channels import (
    AsyncAPIConfig,
    AsyncJsonWebsocketConsumer,
    BaseAuthenticator,
    BaseMessage,
    DeniedError,
    Guard,
    Limits,
    MessageError,
    PingMessage,
    PongMessage,
    add_websocket_consumer,
    asyncapi_docs,
    asyncapi_spec_json,
    asyncapi_spec_yaml,
    channel,
    close_layers,
    draining,
    event_handler,
    memory_layer,
    pubsub_layer,
    queue_layer,
    register_layers,
    ws_handler,
)
from chanx.testing import WebsocketCommunicator

# Any: classes and functions.
OFFERED: dict[str, list[Any]] = {
    "chanx.core.authenticator": [BaseAuthenticator],
    "chanx.core.decorators": [channel, event_handler, ws_handler],
    "chanx.core.exceptions": [DeniedError, MessageError],
    "chanx.core.guards": [Guard],
    "chanx.core.limits": [Limits],
    "chanx.core.shutdown": [draining],
    "chanx.fast_channels.layers": [
        close_layers, memory_layer, pubsub_layer, queue_layer, register_layers,
    ],
    "chanx.fast_channels.routing": [add_websocket_consumer],
    "chanx.fast_channels.type_defs": [AsyncAPIConfig],
    "chanx.fast_channels.views": [asyncapi_docs, asyncapi_spec_json, asyncapi_spec_yaml],
    "chanx.fast_channels.websocket": [AsyncJsonWebsocketConsumer],
    "chanx.messages.base": [BaseMessage],
    "chanx.messages.incoming": [PingMessage],
    "chanx.messages.outgoing": [PongMessage],
}  # fmt: skip


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
    assert sorted(item.__name__ for _, item in offered) == chanx.fast_channels.__all__
    assert set(chanx.fast_channels.__all__) <= set(dir(chanx.fast_channels))


async def test_the_names_make_an_application() -> None:
    app = Starlette()
    add_websocket_consumer(app, "/ws", DeskConsumer)

    async with WebsocketCommunicator(app, "/ws", consumer=DeskConsumer) as ws:
        assert await ws.request(PingMessage()) == PongMessage()


@pytest.mark.parametrize("unused", ["fastapi", "chanx.asyncapi", "redis"])
def test_a_consumer_needs_no_extra(unused: str) -> None:
    program = f"""
import sys
sys.modules[{unused!r}] = None  # what is not installed cannot be imported
from chanx.fast_channels import AsyncJsonWebsocketConsumer, BaseMessage, ws_handler
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
