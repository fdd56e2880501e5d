"""What consumers of Channels may do, and ours may too."""

from typing import Any

import pytest
from channels.exceptions import StopConsumer

from chanx.channels.testing import WebsocketCommunicator
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage


class StoppingConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()

    async def disconnect(self, code: int) -> None:
        raise StopConsumer


async def test_consumers_may_say_that_they_stop(caplog: pytest.LogCaptureFixture) -> None:
    """As those of Channels do; it is no failure."""
    view: Any = StoppingConsumer.as_asgi()
    async with WebsocketCommunicator(view, "/", consumer=StoppingConsumer) as ws:
        assert await ws.request(PingMessage()) == PongMessage()
    assert "Error while disconnecting" not in caplog.text
