"""What this integration adds to the test kit."""

import inspect
from typing import Any

import pytest
from fast_channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer
from fast_channels.testing import WebsocketCommunicator as FastChannelsCommunicator

from chanx.core.decorators import ws_handler
from chanx.fast_channels.testing import WebsocketCommunicator, use_channel_layer
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import FaultyChannelLayer, WebsocketCommunicatorMixin

NAMES = [
    name
    for name, _ in inspect.getmembers(FastChannelsCommunicator, inspect.isfunction)
    if not name.startswith("_")
]


@pytest.mark.parametrize("name", NAMES)
def test_the_communicator_has_what_that_of_fast_channels_has(name: str) -> None:
    theirs = inspect.signature(getattr(FastChannelsCommunicator, name)).parameters
    ours = inspect.signature(getattr(WebsocketCommunicator, name)).parameters

    assert list(ours)[: len(theirs)] == list(theirs)


class EchoConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


async def test_the_mixin_goes_before_the_communicator_of_fast_channels() -> None:
    # Annotated differently, the same at run time.
    class Combined(  # type: ignore[misc] # pyright: ignore[reportIncompatibleMethodOverride]
        WebsocketCommunicatorMixin, FastChannelsCommunicator
    ):
        """Both."""

    application: Any = EchoConsumer.as_asgi()
    async with Combined(application, "/", consumer=EchoConsumer) as ws:
        assert isinstance(ws, FastChannelsCommunicator)
        await ws.send_json_to({"action": "ping"})
        assert await ws.receive_json_from() == {"action": "pong", "payload": None}
        assert await ws.request(PingMessage()) == PongMessage()
        assert await ws.receive_nothing()


def test_a_layer_is_used_for_a_while() -> None:
    outer, inner = InMemoryChannelLayer(), InMemoryChannelLayer()

    with use_channel_layer(outer):
        with use_channel_layer(inner), use_channel_layer(inner, "other"):
            assert get_channel_layer("default") is inner
            assert get_channel_layer("other") is inner
        assert get_channel_layer("default") is outer

    assert channel_layers.list_aliases() == []


async def test_the_layer_is_used_by_fast_channels(channel_layer: FaultyChannelLayer) -> None:
    assert id(get_channel_layer("default")) == id(channel_layer)
