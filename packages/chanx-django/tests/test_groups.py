"""Groups, on Django Channels."""

from typing import Any

import pytest
from channels.layers import channel_layers

from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.testing.group_suite import GroupSuite


class TestChannels(GroupSuite):
    """Channels' in-memory layer."""

    base = AsyncJsonWebsocketConsumer

    @pytest.fixture
    def layer(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Make the configured layer anew for one test."""
        layer = channel_layers.make_backend("default")
        monkeypatch.setitem(channel_layers.backends, "default", layer)
        return layer
