"""What this integration adds to the test kit."""

import inspect

import pytest
from fast_channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer
from fast_channels.testing import WebsocketCommunicator as FastChannelsCommunicator

from chanx.fast_channels.testing import WebsocketCommunicator, use_channel_layer
from chanx.testing import FaultyChannelLayer

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
