"""Groups, on fast-channels."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fast_channels.layers import (
    InMemoryChannelLayer,
    register_channel_layer,
    unregister_channel_layer,
)

from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.testing.group_suite import GroupSuite


class TestFastChannels(GroupSuite):
    """fast-channels' in-memory layer."""

    base = AsyncJsonWebsocketConsumer

    @pytest.fixture
    async def layer(self) -> AsyncIterator[Any]:
        """Register the layer for one test."""
        layer = InMemoryChannelLayer()
        register_channel_layer("default", layer)
        yield layer
        unregister_channel_layer("default")
