"""The suite of every integration, on Django Channels."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import channel_layers

from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.testing.integration import IntegrationSuite


class TestChannels(IntegrationSuite):
    """Channels' in-memory layer."""

    base = AsyncJsonWebsocketConsumer

    @pytest.fixture
    async def layer(self) -> AsyncIterator[Any]:
        """Make the configured layer anew for one test."""
        layer = channel_layers.make_backend("default")
        channel_layers.set("default", layer)
        yield layer
        channel_layers.set("default", None)
