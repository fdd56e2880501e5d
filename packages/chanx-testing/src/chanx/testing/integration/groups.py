"""What reaches a connection by the channel layer."""

from typing import Any

import pytest

from chanx.constants import EVENT_ACTION_COMPLETE, GROUP_ACTION_COMPLETE
from chanx.messages.incoming import PingMessage
from chanx.testing.integration.base import PONG, IntegrationTests
from chanx.testing.integration.consumers import (
    Basic,
    Broadcaster,
    ChatMessage,
    ChatPayload,
    NewsEvent,
)
from chanx.type_defs import JSONObject

__all__ = ["GroupTests"]


class GroupTests(IntegrationTests):
    """What reaches a connection by the channel layer."""

    async def test_broadcast_reaches_members_with_is_current(self) -> None:
        """Every member receives the message; only the sender's says so."""
        async with self.connect(Broadcaster) as ada, self.connect(Broadcaster) as bob:
            await ada.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            own, other = await ada.receive_json_from(), await bob.receive_json_from()
            assert own == {**other, "is_current": True}
            assert other["is_current"] is False
            assert other["payload"] == {"user_name": "ada", "extra_data": {}}

    async def test_exclude_current_spares_the_sender(self) -> None:
        """The sender can be left out."""
        async with self.connect(Broadcaster) as ada, self.connect(Broadcaster) as bob:
            await ada.send_message(ChatMessage(payload=ChatPayload(user_name="quiet")))
            assert (await bob.receive_json_from())["is_current"] is False
            await ada.send_message(PingMessage())
            assert await ada.receive_json_from() == PONG

    async def test_metadata_can_be_turned_off(self) -> None:
        """`group_message_metadata = False` sends the message as it is."""
        async with self.connect(Broadcaster, group_message_metadata=False) as ws:
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            assert "is_current" not in await ws.receive_json_from()

    async def test_group_completion(self) -> None:
        """With completion on, each group message and event is followed by its own kind."""
        async with self.connect(Broadcaster, send_completion=True) as ws:
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            messages = await ws.receive_all_messages(stop_action=GROUP_ACTION_COMPLETE)
            assert [message.action for message in messages] == ["chat"]
            await ws.consumer.broadcast_event(NewsEvent(payload="x"))
            messages = await ws.receive_all_messages(stop_action=EVENT_ACTION_COMPLETE)
            assert [message.action for message in messages] == ["chat"]

    async def test_groups_by_hook_and_by_hand(self) -> None:
        """Groups from `get_groups()`, `extra_groups` and `join_group()` are joined, and left by `leave_group()`."""

        class Grouped(Broadcaster):
            extra_groups = ("extra",)

            async def get_groups(self) -> list[str]:
                """Name a group."""
                return ["hooked"]

            async def post_authentication(self) -> None:
                """Join and leave by hand."""
                await self.join_group("by-hand")
                await self.leave_group("lobby")

        async with self.connect(Grouped) as ws:
            for group in ("extra", "hooked", "by-hand", "lobby"):
                await ws.consumer.broadcast_event(NewsEvent(payload=group), group)
            names = [(await ws.receive_json_from())["payload"]["user_name"] for _ in range(3)]
            assert names == ["extra", "hooked", "by-hand"]

    async def test_group_joined_on_the_layer_is_left(self) -> None:
        """The documented way to join by hand, on the layer itself, leaves nothing behind either."""

        class ByHand(Broadcaster):
            async def post_authentication(self) -> None:
                """Join on the layer."""
                await self.channel_layer.group_add("room_x", self.channel_name)
                self.groups.append("room_x")

        async with self.connect(ByHand) as ws:
            await ws.consumer.broadcast_event(NewsEvent(payload="x"), "room_x")
            assert (await ws.receive_json_from())["payload"]["user_name"] == "x"

    async def test_event_reaches_one_channel(self) -> None:
        """`send_event()` reaches the one connection that listens on the channel."""
        names: list[str] = []

        class Named(Basic):
            async def post_authentication(self) -> None:
                """Tell the test."""
                names.append(self.channel_name)

        async with self.connect(Named) as ada, self.connect(Named):
            await ada.send_message(PingMessage())
            await ada.receive_json_from()
            await ada.consumer.send_event(NewsEvent(payload="ada"), names[0])
            assert (await ada.receive_json_from())["payload"]["user_name"] == "ada"

    @pytest.mark.parametrize(
        "event",
        [
            {"type": "handle_channel_event", "event_data": {"action": "news", "payload": "broken"}},
            {"type": "handle_channel_event", "event_data": {"action": "nope"}},
            {"type": "handle_channel_event"},
            {"type": "handle_group_message"},
            {"type": "close"},
            {"type": "websocket.disconnect", "code": 1},
            {"type": "_private"},
        ],
    )
    async def test_bad_layer_message_harms_nobody(self, layer: Any, event: JSONObject) -> None:
        """A layer message that cannot be handled is logged; only the documented types are dispatched."""
        async with self.connect() as ws:
            await ws.send_message(PingMessage())
            await ws.receive_json_from()
            await layer.group_send("lobby", event)
            await ws.consumer.broadcast_event(NewsEvent(payload="still here"))
            assert (await ws.receive_json_from())["payload"]["user_name"] == "still here"
