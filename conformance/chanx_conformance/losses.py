"""What a channel layer loses, and how soon the members of groups are told."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, ClassVar

import pytest

from chanx.core.decorators import event_handler
from chanx.core.exceptions import ChannelFullError, LayerUnavailableError
from chanx.core.health import snapshot
from chanx.testing.channel_layer import FaultyChannelLayer
from chanx.testing.communicator import WebsocketCommunicator
from chanx_conformance.consumers import Answering
from chanx_conformance.models import NewsEvent, WordMessage
from chanx_conformance.suite import Suite

__all__ = ["LossTests"]

# Seconds within which a loss is told; a busy machine has three times as many.
TOLD = 2.0
PATIENCE = 3 * TOLD


class Listener(Answering):
    """Hears what is said in its groups."""

    groups: list[str] = ["square"]  # noqa: RUF012 - the documented way to write it
    emits: ClassVar[Sequence[Any]] = (WordMessage,)

    resyncs: ClassVar[int]
    serving: ClassVar["Listener"]

    async def post_authentication(self) -> None:
        """Let the test call the instance."""
        Listener.serving = self

    @event_handler
    async def news(self, event: NewsEvent) -> None:
        """Take it."""

    async def on_resync(self) -> None:
        """Count."""
        type(self).resyncs += 1


class SlowJoins:
    """Memberships that a layer adds only when it is let."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.began = asyncio.Event()
        self.over = asyncio.Event()


class SlowlyJoinedLayer(FaultyChannelLayer):
    """Adds memberships of one group late."""

    _joins: SlowJoins | None = None

    @contextmanager
    def slow_joins(self, group: str) -> Generator[SlowJoins]:
        """Add nobody to a group before the block ends."""
        joins = self._joins = SlowJoins(group)
        try:
            yield joins
        finally:
            joins.over.set()

    async def group_add(self, group: str, channel: str) -> None:
        """Add a membership, once it may be."""
        if self._joins is not None and group == self._joins.group:
            self._joins.began.set()
            await self._joins.over.wait()
        await super().group_add(group, channel)


class LossTests(Suite):
    """Losses that the numbers of messages alone do not show."""

    faulty: "SlowlyJoinedLayer"
    """The layer of the test, once somebody listens."""

    @asynccontextmanager
    async def listening(self, **options: Any) -> AsyncGenerator[WebsocketCommunicator]:
        """Connect one listener to a layer that fails on demand."""
        self.faulty = SlowlyJoinedLayer(capacity=1000)

        def find_layer(alias: str) -> SlowlyJoinedLayer:
            return self.faulty

        wanted = {"get_channel_layer": staticmethod(find_layer), "resyncs": 0, **options}
        async with self.connect(Listener, **wanted) as ws:
            await ws.idle()
            await asyncio.sleep(0.3)  # a loss while the first member joins is nobody's promise
            yield ws
        assert self.faulty.groups == {}

    async def say(self, ws: WebsocketCommunicator, *numbers: int, group: str = "square") -> None:
        """Say numbers from outside of the connection."""
        for number in numbers:
            message = {
                "type": "handle_group_message",
                "message": {"action": "word", "payload": number},
            }
            publisher: Any = ws.consumer
            await publisher._send_to_groups(group, message)

    async def heard_until_resync(self, ws: WebsocketCommunicator) -> list[int]:
        """Receive what comes before the member is told that something was lost."""
        heard: list[int] = []
        while True:
            frame = await ws.receive_json_from(timeout=PATIENCE)
            if frame["action"] == "resync":
                return heard
            heard.append(frame["payload"])

    async def watched(self) -> None:
        """Wait until the process watches whether its memberships are still known."""
        async with asyncio.timeout(PATIENCE):
            while "chanx.announcements" not in self.faulty.groups:  # noqa: ASYNC110 - a layer has no event for it
                await asyncio.sleep(0.01)

    async def hears(self, ws: WebsocketCommunicator, number: int) -> None:
        """Expect that the member hears again."""
        await self.say(ws, number)
        assert (await ws.receive_json_from())["payload"] == number

    @pytest.mark.parametrize(
        ("drops", "heard"),
        [
            pytest.param([2], [1, 3], id="between"),
            pytest.param([3], [1, 2], id="the last"),
            pytest.param([1], [2, 3], id="the first"),
            pytest.param([1, 2, 3], [], id="all"),
        ],
    )
    async def test_lost_message_is_told(self, drops: list[int], heard: list[int]) -> None:
        """Wherever it was in what one sender said; once, and then the member hears again."""
        async with self.listening() as ws:
            for number in (1, 2, 3):
                if number in drops:
                    with self.faulty.drop(group="square"):
                        await self.say(ws, number)
                else:
                    await self.say(ws, number)
            assert await self.heard_until_resync(ws) == heard
            await self.hears(ws, 4)
            await ws.assert_nothing()
            listener: Any = ws.consumer
            assert listener.resyncs == 1

    @pytest.mark.parametrize("lost", ["everything", "one group"])
    @pytest.mark.parametrize("traffic", [False, True])
    async def test_forgotten_membership_is_told_and_renewed(self, lost: str, traffic: bool) -> None:
        """The store came back empty, or evicted what it kept of a group: nobody stays deaf."""
        async with self.listening() as ws:
            await self.watched()
            if lost == "everything":
                self.faulty.groups.clear()
            else:
                del self.faulty.groups["square"]
            if traffic or lost == "one group":
                await self.say(ws, 1)
            assert await self.heard_until_resync(ws) == []
            assert "square" in self.faulty.groups
            await self.hears(ws, 2)
            listener: Any = ws.consumer
            assert listener.resyncs == 1

    async def test_break_is_told_once_to_a_member_of_many_groups(self) -> None:
        """However many groups something was lost in."""
        many = [f"group-{number}" for number in range(200)]
        async with self.listening(groups=many) as ws:
            with self.faulty.drop():
                for group in many:
                    await self.say(ws, 1, group=group)
            assert await self.heard_until_resync(ws) == []
            for group in many[:3]:
                await self.say(ws, 2, group=group)
            for _ in range(3):
                assert (await ws.receive_json_from())["payload"] == 2
            await asyncio.sleep(TOLD)  # the time in which a second one would come
            await ws.assert_nothing()
            listener: Any = ws.consumer
            assert listener.resyncs == 1

    async def test_announcement_that_is_none_harms_nobody(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Another version, or anybody else, may send to the group of announcements."""
        async with self.listening() as ws:
            await self.watched()
            for tails in (7, [["square"]], [["square", 1, "x", None]], [[["a"], "b", 1, 0.0]]):
                message = {"type": "chanx.announcement", "tails": tails}
                await self.faulty.group_send("chanx.announcements", message)
            with self.faulty.drop(group="square"):
                await self.say(ws, 1)
            assert await self.heard_until_resync(ws) == []
            await self.hears(ws, 2)
        assert "Announcement could not be read" in caplog.text

    async def test_quiet_layer_tells_nothing(self) -> None:
        """Messages that arrive are no loss, and one that the layer brings twice is delivered once."""
        async with self.listening() as ws:
            with self.faulty.duplicate(group="square", count=1):
                await self.say(ws, 1)
            await self.say(ws, 2, 3)
            heard = [(await ws.receive_json_from())["payload"] for _ in range(3)]
            assert heard == [1, 2, 3]
            await asyncio.sleep(TOLD)  # the time in which it would be told
            await ws.assert_nothing()

    async def test_what_was_sent_while_a_member_joined_is_no_loss(self) -> None:
        """A layer may take its time to add a membership; others send meanwhile."""
        async with self.listening() as ws:
            listener: Any = ws.consumer
            with self.faulty.slow_joins("late") as joins:
                joining = asyncio.create_task(Listener.serving.join_group("late"))
                await joins.began.wait()
                await self.say(ws, 1, group="late")
                await asyncio.sleep(0.4)  # longer than a message takes
                await self.say(ws, 2, group="late")
            await joining
            await self.say(ws, 3, group="late")
            assert (await ws.receive_json_from())["payload"] == 3
            await asyncio.sleep(TOLD)  # the time in which a loss would be told
            await ws.assert_nothing()
            assert listener.resyncs == 0

    async def test_message_that_comes_again_after_an_outage_is_delivered_once(self) -> None:
        """A queue layer brings a message again that it could not acknowledge."""
        async with self.listening() as ws:
            (member,) = self.faulty.groups["square"]
            witness = await self.faulty.new_channel()
            await self.faulty.group_add("square", witness)
            await self.say(ws, 1)
            sent = await self.faulty.receive(witness)
            await self.faulty.group_discard("square", witness)
            assert (await ws.receive_json_from())["payload"] == 1
            outages = snapshot().outages
            with self.faulty.down():
                async with asyncio.timeout(PATIENCE):
                    while snapshot().outages == outages:  # noqa: ASYNC110 - an outage has no event
                        await asyncio.sleep(0)
            assert await self.heard_until_resync(ws) == []
            await self.faulty.send(member, sent)
            await self.hears(ws, 2)

    async def test_sender_to_very_many_groups_keeps_its_numbers(self) -> None:
        """Its numbers in one group go on, whatever it says elsewhere."""
        async with self.listening() as ws:
            await self.say(ws, 1)
            with self.faulty.drop(group="square"):
                await self.say(ws, 2)
            for number in range(12_000):
                await self.say(ws, 0, group=f"elsewhere-{number}")
                # A slow machine needs seconds for this, and announces meanwhile.
                if number % 500 == 0:
                    await asyncio.sleep(0)
            await self.say(ws, 3)
            assert set(await self.heard_until_resync(ws)) <= {1, 3}

    async def test_an_outage_raises_one_exception_everywhere(self) -> None:
        """Whatever needs the layer names it; a full channel is another matter."""
        async with self.listening(layer_timeout=1.0) as ws:
            member = Listener.serving
            publisher: Any = ws.consumer
            calls: list[Callable[[], Awaitable[None]]] = [
                lambda: member.join_group("other"),
                lambda: member.broadcast_message(WordMessage(payload=1)),
                lambda: publisher.broadcast_event(NewsEvent(payload="1"), "square"),
                lambda: publisher.send_event(NewsEvent(payload="1"), "someone"),
            ]
            with self.faulty.down():
                for call in calls:
                    with pytest.raises(LayerUnavailableError, match="SlowlyJoinedLayer") as told:
                        await call()
                    assert isinstance(told.value.__cause__, ConnectionError)
            with self.faulty.full(), pytest.raises(ChannelFullError):
                await calls[-1]()
