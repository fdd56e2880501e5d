"""A layer that loses messages of a group: the members come to know."""

from collections.abc import Generator
from typing import Any, Literal

import pytest
from fast_channels.layers import (
    InMemoryChannelLayer,
    register_channel_layer,
    unregister_channel_layer,
)

from chanx.core.decorators import event_handler
from chanx.fast_channels.testing import WebsocketCommunicator
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage


class NewsEvent(BaseMessage):
    """An event for everybody."""

    action: Literal["news"] = "news"
    payload: int


class FlashMessage(BaseMessage):
    """What everybody sees of it."""

    action: Literal["flash"] = "flash"
    payload: int


class NewsConsumer(AsyncJsonWebsocketConsumer[NewsEvent]):
    """Passes the news on."""

    groups = ["readers"]  # noqa: RUF012 - the documented way to write it
    resynced = 0

    @event_handler
    async def news(self, event: NewsEvent) -> FlashMessage:
        """Show the news."""
        return FlashMessage(payload=event.payload)

    async def on_resync(self) -> None:
        """Count."""
        type(self).resynced += 1


class LossyLayer(InMemoryChannelLayer):
    """Loses what says so."""

    # Any: the library's alias of a message is a dictionary of everything.
    async def group_send(self, group: str, message: Any) -> None:
        """Send to the group, or not."""
        if message["event_data"]["payload"] >= 0:
            await super().group_send(group, message)


@pytest.fixture(autouse=True)
def lossy_layer() -> Generator[None]:
    """Register the layer for one test."""
    register_channel_layer("default", LossyLayer())
    yield
    unregister_channel_layer("default")


@pytest.mark.parametrize("policy", ["resync", "close"])
async def test_lost_group_message(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second after the loss could be seen, members are told by hook and frame, or closed with 1013."""
    monkeypatch.setattr(NewsConsumer, "layer_loss_policy", policy)
    monkeypatch.setattr(NewsConsumer, "resynced", 0)
    async with WebsocketCommunicator(NewsConsumer.as_asgi(), "/", consumer=NewsConsumer) as ws:
        for number in (1, -1, -2, 2):
            await NewsConsumer.broadcast_event(NewsEvent(payload=number))
        assert [(await ws.receive_json_from())["payload"] for _ in range(2)] == [1, 2]
        if policy == "close":
            await ws.assert_closed(1013, timeout=3)
            return
        assert await ws.receive_json_from(timeout=3) == {"action": "resync", "payload": None}
        await NewsConsumer.broadcast_event(NewsEvent(payload=3))
        assert (await ws.receive_json_from())["payload"] == 3
    assert NewsConsumer.resynced == 1
