"""Groups and events where the application has registered no channel layer."""

import asyncio
from collections.abc import Generator
from typing import Any, ClassVar, Literal

import pytest

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.health import snapshot
from chanx.core.layers import ProcessLayer
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx_conformance.consumers import Answering
from chanx_conformance.models import NewsEvent, SayMessage
from chanx_conformance.suite import Suite

__all__ = ["ProcessLayerTests"]

WARNING = "No channel layer is registered: groups and events stay in this process."


class JoinMessage(BaseMessage):
    """Asks to become a member."""

    action: Literal["join"] = "join"
    payload: str


class Plain(Answering):
    """Has no groups, until it is asked to join one."""

    names: ClassVar[list[str]]

    @ws_handler
    async def join(self, message: JoinMessage) -> JoinMessage:
        """Join a group, and tell the test the connection's name."""
        await self.join_group(message.payload)
        self.names.append(self.channel_name)
        return message

    @ws_handler(output_type=SayMessage)
    async def say(self, message: SayMessage) -> None:
        """Broadcast."""
        await self.broadcast_message(message)

    @event_handler
    async def news(self, event: NewsEvent) -> SayMessage:
        """Pass it on."""
        return SayMessage(payload=event.payload)


class Member(Plain):
    """Belongs to a group from the start."""

    groups: list[str] = ["square"]  # noqa: RUF012 - the documented way to write it


class ByHand(Plain):
    """Joins on the layer, as the frameworks' tutorials do."""

    async def post_authentication(self) -> None:
        """Join."""
        await self.channel_layer.group_add("square", self.channel_name)
        self.groups.append("square")


class Leaving(Plain):
    """Asks for the name of its channel at its end."""

    async def disconnect(self, code: int) -> None:
        """Tell the test."""
        self.names.append(self.channel_name)


class ProcessLayerTests(Suite):
    """What works without a registered layer, and what does not."""

    @pytest.fixture
    def layer(self, monkeypatch: pytest.MonkeyPatch) -> Generator[Any]:
        """Register no layer; the one of the process has not been used yet."""
        integration = self.base.spec.integration
        known = integration.process_layer
        assert known is not None
        unused = ProcessLayer(type(known.layer)(), known.advice)
        monkeypatch.setattr(integration, "process_layer", unused)
        with self.unregistered():
            yield unused.layer

    @pytest.fixture(autouse=True)
    def no_names(self) -> None:
        """Forget the names of the test before."""
        Plain.names = []

    @pytest.mark.parametrize("handlers", [Member, ByHand])
    async def test_groups_reach_the_members_of_the_process(
        self, handlers: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Messages of members, and events from anywhere in the process; one warning says what that means."""
        async with self.connect(handlers) as ada, self.connect(handlers) as bob:
            await ada.send_message(SayMessage(payload="hello"))
            heard = [await ws.receive_json_from() for ws in (ada, bob)]
            assert [frame["is_current"] for frame in heard] == [True, False]
            await ada.consumer.broadcast_event(NewsEvent(payload="news"), "square")
            await asyncio.to_thread(
                ada.consumer.broadcast_event_sync, NewsEvent(payload="from a thread"), "square"
            )
            for ws in (ada, bob):
                assert await ws.receive_message() == SayMessage(payload="news")
                assert await ws.receive_message() == SayMessage(payload="from a thread")
            assert snapshot().layer_state == {"default": "up"}
            assert snapshot().local_layers == ("default",)
        lines = [line for line in caplog.text.splitlines() if WARNING in line]
        assert len(lines) == 1
        assert "layer on Redis" in lines[0]

    async def test_a_consumer_without_groups_uses_no_layer(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Nothing is opened or said, until it joins a group."""
        async with self.connect(Plain) as ws:
            assert await ws.request(PingMessage()) == PongMessage()
            assert snapshot().layer_state == {}
            assert WARNING not in caplog.text
            await ws.request(JoinMessage(payload="square"))
            await ws.consumer.broadcast_event(NewsEvent(payload="to all"), "square")
            await ws.consumer.send_event(NewsEvent(payload="to one"), Plain.names[0])
            said = [await ws.receive_message() for _ in range(2)]
            assert said == [SayMessage(payload="to all"), SayMessage(payload="to one")]
            assert WARNING in caplog.text

    async def test_a_connection_that_ends_opens_nothing(self) -> None:
        """Its channel has a name, and nobody listens there."""
        async with self.connect(Leaving) as ws:
            assert await ws.request(PingMessage()) == PongMessage()
        assert len(Leaving.names) == 1

    @pytest.mark.parametrize("alias", ["default", "elsewhere"])
    async def test_a_named_alias_has_to_exist(self, alias: str) -> None:
        """A class that names its layer wants that one."""
        ws = self.connect(Member, channel_layer_alias=alias)
        with pytest.raises(LookupError, match=rf"{alias}.*Registered aliases: none"):
            await ws.connect()

    async def test_other_layers_are_not_replaced(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where some layer is registered, a class without one has none."""
        monkeypatch.setattr(self.base.spec.integration, "layer_aliases", lambda: ["other"])
        async with self.connect(Plain) as ws:
            await ws.send_message(JoinMessage(payload="square"))
            assert (await ws.receive_json_from())["action"] == "error"
            with pytest.raises(RuntimeError, match="has no channel layer"):
                await ws.consumer.broadcast_event(NewsEvent(payload="x"), "square")
