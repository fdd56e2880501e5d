"""What every integration must do with groups, whoever sends to them and however members joined."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, field_validator

from chanx.constants import EVENT_ACTION_COMPLETE, GROUP_ACTION_COMPLETE
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.health import snapshot
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing.communicator import WebsocketCommunicator
from chanx.testing.socket import ConnectionClosedError
from chanx.type_defs import ASGIEvent, GroupMessageEvent, JSONObject
from chanx_conformance.consumers import Answering, Basic, Broadcaster
from chanx_conformance.models import PONG, ChatMessage, ChatPayload, NewsEvent
from chanx_conformance.suite import Consumer, Suite

__all__ = ["GroupTests"]


class Said(BaseModel):
    """Who said what."""

    by_whom: str
    number: int = 0


class SaidMessage(BaseMessage):
    """Something said to a group."""

    action: Literal["said"] = "said"
    payload: Said


class SpeakMessage(BaseMessage):
    """Asks to say so many things to the groups: those named, else the consumer's own."""

    action: Literal["speak"] = "speak"
    payload: Said
    times: int = 1
    groups: list[str] | None = None
    exclude_current: bool = False


class Report(BaseModel):
    """Something that counts how often it is validated."""

    validations: ClassVar[int] = 0

    words: list[str]

    @field_validator("words")
    @classmethod
    def count(cls, words: list[str]) -> list[str]:
        """Count."""
        cls.validations += 1
        return words


class ReportEvent(BaseMessage):
    """Tells consumers of a report."""

    action: Literal["report"] = "report"
    payload: Report
    read_by: str = ""


class Speaker(Answering):
    """Says what it is asked to say."""

    groups: list[str] = ["square"]  # noqa: RUF012 - the documented way to write it

    @ws_handler(output_type=SaidMessage)
    async def say(self, message: SpeakMessage) -> None:
        """Say it, numbered."""
        for number in range(message.times):
            said = Said(by_whom=message.payload.by_whom, number=number)
            await self.broadcast_message(
                SaidMessage(payload=said), message.groups, exclude_current=message.exclude_current
            )

    @event_handler
    async def report(self, event: ReportEvent) -> SaidMessage:
        """Read it, and leave a mark on the own copy."""
        found, event.read_by = event.read_by, "somebody"
        return SaidMessage(payload=Said(by_whom=found or "nobody"))


class ByHand(Speaker):
    """Joins as the documents show it: on the layer, and then says so."""

    groups: list[str] = []  # noqa: RUF012

    async def post_authentication(self) -> None:
        """Join."""
        await self.channel_layer.group_add("square", self.channel_name)
        self.groups.append("square")


class Overriding(Speaker):
    """Overrides a hook, without changing anything."""

    async def handle_group_message(self, event: GroupMessageEvent) -> None:
        """Pass on."""
        await super().handle_group_message(event)


class Twice(Speaker):
    """Joins one group in every way that the hub knows."""

    extra_groups: ClassVar[Sequence[str]] = ("square",)

    async def get_groups(self) -> list[str]:
        """Name it again."""
        return ["square", "square"]

    async def post_authentication(self) -> None:
        """Join it again."""
        await self.join_group("square")
        await self.join_group("square")


class Stuck(WebsocketCommunicator):
    """A client that reads nothing until the gate is open."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gate: asyncio.Event = asyncio.Event()
        self.gate.set()

    async def _take(self, event: ASGIEvent) -> None:
        await self.gate.wait()
        await super()._take(event)


def said(by_whom: str, number: int = 0) -> JSONObject:
    """Return a layer's message as the documents show it."""
    return {"action": "said", "payload": {"by_whom": by_whom, "number": number}}


def group_message(by_whom: str, kind: str = "handle_group_message") -> JSONObject:
    """Return what somebody else may send to a group."""
    return {"type": kind, "message": said(by_whom), "exclude_current": False, "from_channel": ""}


class GroupTests(Suite):
    """The behaviour of groups, through the public door."""

    @pytest.fixture(autouse=True)
    def begin_to_count(self) -> None:
        """Count validations anew."""
        Report.validations = 0

    async def heard(self, ws: WebsocketCommunicator, number: int) -> list[tuple[str, int]]:
        """Receive so many things said."""
        frames = [await ws.receive_json_from(timeout=5) for _ in range(number)]
        return [(frame["payload"]["by_whom"], frame["payload"]["number"]) for frame in frames]

    async def say(self, ws: WebsocketCommunicator, by_whom: str, **options: Any) -> None:
        """Ask to say something."""
        await ws.send_message(SpeakMessage(payload=Said(by_whom=by_whom), **options))

    # What members get

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

    # Who receives, and how often

    @pytest.mark.parametrize("handlers", [Speaker, ByHand, Twice])
    @pytest.mark.parametrize("sender", [Speaker, ByHand])
    async def test_member_receives_once_however_it_joined(
        self, handlers: Consumer, sender: Consumer
    ) -> None:
        """By class, by hook, by `join_group()`, on the layer; whoever of them sends."""
        async with self.connect(handlers) as ada, self.connect(sender) as bob:
            await self.say(bob, "bob", times=3)
            for ws in (ada, bob):
                assert await self.heard(ws, 3) == [("bob", number) for number in range(3)]
            for ws in (ada, bob):
                await ws.assert_nothing()

    async def test_group_joined_by_hand_is_one_like_any_other(self) -> None:
        """`group_add()` on the layer and `self.groups.append()`: default group, sender known, left at the end."""
        async with self.connect(ByHand) as ada, self.connect(Speaker) as bob:
            await self.say(ada, "ada")
            own, other = await ada.receive_json_from(), await bob.receive_json_from()
            assert (own["is_current"], other["is_current"]) == (True, False)
            await self.say(ada, "ada", exclude_current=True)
            assert await self.heard(bob, 1) == [("ada", 0)]
            await ada.assert_nothing()
            await ada.consumer.broadcast_event(ReportEvent(payload=Report(words=[])), "square")
            for ws in (ada, bob):
                assert await self.heard(ws, 1) == [("nobody", 0)]

    async def test_groups_that_are_named_win_over_the_own(self) -> None:
        """Without names a message goes to the consumer's groups; with names, to these and to each once."""

        class Elsewhere(Speaker):
            groups = ["elsewhere"]  # noqa: RUF012

        async with self.connect(Speaker) as ada, self.connect(Elsewhere) as bob:
            await self.say(bob, "default")
            await self.say(bob, "named", groups=["square", "square"])
            await self.say(bob, "both", groups=["square", "elsewhere"])
            assert await self.heard(bob, 2) == [("default", 0), ("both", 0)]
            assert await self.heard(ada, 2) == [("named", 0), ("both", 0)]

    async def test_class_broadcasts_to_its_own_groups(self) -> None:
        """`broadcast_event()` from outside takes the groups of the class where none is named."""

        class Extra(Speaker):
            extra_groups = ("hill",)

        async with self.connect(Speaker) as ada:
            extra = self.make(Extra)
            await extra.broadcast_event(ReportEvent(payload=Report(words=[])))
            assert await self.heard(ada, 1) == [("nobody", 0)]
            await ada.assert_nothing()

    async def test_leaving_ends_what_is_received(self) -> None:
        """The members who stay go on."""

        class Leaving(Speaker):
            @ws_handler
            async def ping(self, message: PingMessage) -> PongMessage:
                """Leave."""
                await self.leave_group("square")
                return PongMessage()

        async with self.connect(Leaving) as ada, self.connect(Leaving) as bob:
            await ada.request(PingMessage(), PongMessage)
            await self.say(bob, "bob")
            assert await self.heard(bob, 1) == [("bob", 0)]
            await ada.assert_nothing()

    # Senders elsewhere

    @pytest.mark.parametrize("handlers", [Speaker, ByHand, Overriding])
    @pytest.mark.parametrize("kind", ["handle_group_message", "handle.group.message"])
    async def test_message_of_the_layer_from_outside(
        self, layer: Any, handlers: Consumer, kind: str
    ) -> None:
        """A worker sends the documented keys, with the type spelled in either way."""
        async with self.connect(handlers) as ws:
            await layer.group_send("square", group_message("worker", kind))
            frame = await ws.receive_json_from()
            assert frame == {**said("worker"), "is_current": False}
            await layer.group_send("square", {"type": kind, "message": said("brief")})
            assert await ws.receive_json_from() == {**said("brief"), "is_current": False}
            await layer.group_send(
                "square", {**group_message("all", kind), "exclude_current": True}
            )
            assert await ws.receive_json_from() == {**said("all"), "is_current": False}

    @pytest.mark.parametrize("handlers", [Speaker, ByHand])
    @pytest.mark.parametrize("kind", ["handle_channel_event", "handle.channel.event"])
    async def test_event_of_the_layer_from_outside(
        self, layer: Any, handlers: Consumer, kind: str
    ) -> None:
        """The same for events."""
        event = ReportEvent(payload=Report(words=["x"])).model_dump()
        async with self.connect(handlers) as ws:
            await layer.group_send("square", {"type": kind, "event_data": event})
            assert await self.heard(ws, 1) == [("nobody", 0)]

    # Order

    async def test_each_sender_is_heard_in_order(self) -> None:
        """Two who speak at once, and listeners of each kind: nothing is lost, doubled or overtaken."""
        kinds: list[Consumer] = [Speaker, ByHand, Speaker, Twice]
        async with AsyncExitStack() as stack:
            everybody = [await stack.enter_async_context(self.connect(kind)) for kind in kinds]
            ada, bob, *_ = everybody
            await self.say(ada, "ada", times=40)
            await self.say(bob, "bob", times=40)
            for ws in everybody:
                heard = await self.heard(ws, 80)
                for name in ("ada", "bob"):
                    assert [n for who, n in heard if who == name] == [*range(40)]

    async def test_message_and_event_of_one_sender_keep_their_order(self) -> None:
        """An event that a consumer handles is not overtaken by the message sent behind it."""
        async with self.connect(Speaker) as ws:
            consumer = ws.consumer
            for number in range(10):
                await consumer.broadcast_event(ReportEvent(payload=Report(words=[])), "square")
                await self.say(ws, "ws", groups=["square"])
                assert await self.heard(ws, 2) == [("nobody", 0), ("ws", 0)], number

    # What it costs

    async def test_message_is_decoded_once_and_written_twice(self, layer: Any) -> None:
        """However many members a process has: once for the sender, once for all others."""
        async with self.clients(Speaker, 20) as everybody:
            before = snapshot()
            await self.say(everybody[0], "ada", times=5)
            for ws in everybody:
                await self.heard(ws, 5)
            between = snapshot()
            await layer.group_send("square", group_message("worker"))
            for ws in everybody:
                await self.heard(ws, 1)
            after = snapshot()
        assert between.layer_messages - before.layer_messages == 5
        assert between.encodings - before.encodings == 2 * 5
        assert after.layer_messages - between.layer_messages == 1
        assert after.encodings - between.encodings == 1
        assert (before.connections, before.groups) == (20, 1)

    async def test_event_is_validated_once_and_each_member_has_its_own(self) -> None:
        """What a handler sets on the event, the next member's does not see."""
        async with self.clients(Speaker, 5) as everybody:
            event = ReportEvent(payload=Report(words=["x"]))
            Report.validations = 0
            await everybody[0].consumer.broadcast_event(event)
            for ws in everybody:
                assert await self.heard(ws, 1) == [("nobody", 0)]
        assert Report.validations == 1

    async def test_each_member_reads_its_own_format(self) -> None:
        """Consumers of two wire formats share a group, and each knows the sender."""
        camel = {"camelize": True, "discriminator_field": "kind"}
        async with self.connect(Speaker, **camel) as ada, self.connect(Speaker) as bob:
            await self.say(ada, "ada")
            assert await ada.receive_json_from() == {
                "kind": "said",
                "payload": {"byWhom": "ada", "number": 0},
                "isCurrent": True,
            }
            assert await bob.receive_json_from() == {**said("ada"), "is_current": False}
            await self.say(bob, "bob")
            assert (await ada.receive_json_from())["isCurrent"] is False
            assert (await bob.receive_json_from())["is_current"] is True

    # Clients that do not keep up

    async def test_slow_client_delays_nobody_and_loses_nothing(self) -> None:
        """It reads nothing while the others hear everything, and then hears the same, in order."""
        async with self.stuck(Speaker) as slow, self.connect(Speaker) as fast:
            slow.gate.clear()
            await self.say(fast, "fast", times=50)
            spoken = [("fast", number) for number in range(50)]
            assert await self.heard(fast, 50) == spoken
            await fast.request(PingMessage(), PongMessage)
            slow.gate.set()
            assert await self.heard(slow, 50) == spoken

    @pytest.mark.parametrize(
        ("policy", "heard"),
        [
            ("drop_newest", [0, 1, 2, 3, 4, 5]),
            ("drop_oldest", [0, 1, 2, 7, 8, 9]),
        ],
    )
    async def test_too_slow_client_misses_what_the_policy_drops(
        self, layer: Any, policy: str, heard: list[int], caplog: pytest.LogCaptureFixture
    ) -> None:
        """One frame is being written, one waits behind it, one delivery is at it, three wait: the rest is counted."""
        limits = {"outbound_frames": 1, "event_queue": 3, "outbound_policy": policy}
        async with self.stuck(Speaker, **limits) as slow, self.connect(Speaker) as fast:
            before = Counter(snapshot().dropped)
            slow.gate.clear()
            await self.tell(layer, fast, 10)
            dropped = Counter(snapshot().dropped) - before
            slow.gate.set()
            assert [int(name) for name, _ in await self.heard(slow, 6)] == heard
            await slow.request(PingMessage(), PongMessage)
        assert dropped == {"slow_consumer": 4}
        assert caplog.text.count("Slow consumer") == 1

    async def test_too_slow_client_is_closed(self, layer: Any) -> None:
        """By default: with 4008, so that it knows that it missed something; the others hear everything."""
        limits = {"outbound_frames": 1, "event_queue": 3}
        slow = self.stuck(Speaker, **limits)
        await slow.connect()
        async with self.connect(Speaker) as fast:
            before = Counter(snapshot().dropped)
            slow.gate.clear()
            await self.tell(layer, fast, 10)
            dropped = Counter(snapshot().dropped) - before
            slow.gate.set()
            with pytest.raises(ConnectionClosedError) as closed:
                await self.heard(slow, 10)
        await slow.wait()
        assert closed.value.code == 4008
        assert dropped == {"slow_consumer": 1}

    async def tell(self, layer: Any, listener: WebsocketCommunicator, number: int) -> None:
        """Send so many messages from outside, each when the listener has heard the one before."""
        for name in map(str, range(number)):
            await layer.group_send("square", group_message(name))
            assert await self.heard(listener, 1) == [(name, 0)]

    # Connections

    def stuck(self, handlers: Consumer, **options: Any) -> Stuck:
        """Make a connection whose client may stop reading."""
        consumer = self.make(handlers, **options)
        application: Any = consumer
        return Stuck(application.as_asgi(), "/ws", consumer=consumer)

    @asynccontextmanager
    async def clients(
        self, handlers: Consumer, number: int
    ) -> AsyncGenerator[list[WebsocketCommunicator]]:
        """Connect so many to one consumer class."""
        consumer = self.make(handlers)
        async with AsyncExitStack() as stack:
            yield [
                await stack.enter_async_context(self.connect_to(consumer)) for _ in range(number)
            ]
