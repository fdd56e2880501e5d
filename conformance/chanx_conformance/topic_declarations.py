"""What classes of topics declare, which mistakes are refused, and where broadcasts go."""

import asyncio
from typing import Any, ClassVar, Literal

import pytest

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.topic import Topic
from chanx.messages.base import BaseMessage
from chanx_conformance.consumers import Answering
from chanx_conformance.models import NewsEvent, SayMessage
from chanx_conformance.suite import Suite

__all__ = ["TopicDeclarationTests"]


class SubscribeMessage(BaseMessage):
    """Has the action of a request about topics."""

    action: Literal["subscribe"] = "subscribe"
    payload: None = None


class BoardTopic(Topic[NewsEvent]):
    """Passes events on."""

    pattern = "board:{pk}"

    @event_handler
    async def news(self, event: NewsEvent) -> SayMessage:
        """Pass it on."""
        return SayMessage(payload=event.payload)


class Board(Answering):
    """Has the topic."""

    topics: ClassVar[Any] = [BoardTopic]


class Elsewhere(Answering):
    """Broadcasts to the topic without having it."""

    @ws_handler
    async def say(self, message: SayMessage) -> None:
        """Broadcast."""
        await BoardTopic.broadcast("board:1", NewsEvent(payload=message.payload))


@ws_handler
async def subscribe(owner: Any, message: SubscribeMessage) -> None:
    """Handle it."""


# Any: a class that type checkers do not know.
def topic_class(name: str = "OddTopic", base: Any = Topic, **attributes: Any) -> Any:
    """Make a class of topics."""
    return type(name, (base,), attributes)


async def takes_nothing(self: Any) -> bool:
    """Allow."""
    return True


async def takes_another(self: Any, number: int) -> bool:
    """Allow."""
    return True


async def takes_more(self: Any, pk: int, number: int) -> bool:
    """Allow."""
    return True


async def takes_more_texts(self: Any, pk: str, number: int) -> bool:
    """Allow."""
    return True


class TopicDeclarationTests(Suite):
    """Mistakes in classes of topics and their consumers, and the layers of broadcasts."""

    # Classes

    @pytest.mark.parametrize(
        ("pattern", "match"),
        [
            ("odd:{1a}", "has the parameter '1a'"),
            ("odd:{}", "has the parameter ''"),
            ("odd:{a b}", "has the parameter 'a b'"),
            ("odd:{pk}:{pk}", "has the parameter 'pk': parameters are different"),
            ("odd:{pk", "has a brace that belongs to no parameter"),
            ("odd:pk}", "has a brace that belongs to no parameter"),
            ("odd:{{pk}}", "has a brace that belongs to no parameter"),
        ],
    )
    def test_wrong_pattern(self, pattern: str, match: str) -> None:
        """The class is refused when it is created, with what is wrong."""
        with pytest.raises(TypeError, match=rf"^OddTopic\.pattern = .*{match}"):
            topic_class(pattern=pattern)

    @pytest.mark.parametrize("authorize", [takes_nothing, takes_another, takes_more])
    def test_authorize_takes_the_parameters(self, authorize: Any) -> None:
        """All of them, and none besides."""
        with pytest.raises(
            TypeError,
            match=r"^OddTopic\.authorize\(\) does not take the parameters of 'odd:\{pk\}'"
            r".*async def authorize\(self, pk: str\) -> bool",
        ):
            topic_class(pattern="odd:{pk}", authorize=authorize)

    def test_a_topic_of_a_consumer_has_a_pattern(self) -> None:
        """A base class of topics needs none, until a consumer has it."""
        odd = topic_class()
        with pytest.raises(TypeError, match=r"OddTopic, in the topics of Wrong, has no pattern"):
            type("Wrong", (self.base,), {"topics": [odd]})

    @pytest.mark.parametrize("topics", [BoardTopic, "board", [Answering], ["board"], [None], None])
    def test_topics_are_classes_of_topics(self, topics: Any) -> None:
        """In a list."""
        with pytest.raises(TypeError, match=r"^Wrong\.topics must be a list of Topic classes"):
            type("Wrong", (self.base,), {"topics": topics})

    def test_the_default_is_one_of_the_topics(self) -> None:
        """Another one is refused."""
        with pytest.raises(TypeError, match=r"^Wrong\.default_topic must be one of its topics"):
            type("Wrong", (Board, self.base), {"default_topic": topic_class(pattern="odd")})

    def test_both_use_one_channel_layer(self) -> None:
        """A topic that names another one would not be heard."""
        odd = topic_class(pattern="odd", channel_layer_alias="one")
        with pytest.raises(TypeError, match=r"OddTopic uses the channel layer 'one' and Wrong .*"):
            type("Wrong", (self.base,), {"topics": [odd], "channel_layer_alias": "two"})
        type("Right", (self.base,), {"topics": [odd], "channel_layer_alias": "one"})

    def test_two_classes_of_one_name(self) -> None:
        """Subscribers of one receive nothing that is sent to the other."""
        kinds = [topic_class("TwinTopic", pattern="twin", __module__=name) for name in "ab"]
        consumer: Any = type("Both", (self.base,), {"topics": kinds})
        assert [topic.__name__ for topic in consumer.topics] == ["TwinTopic", "TwinTopic"]
        assert kinds[0].group_name("twin") != kinds[1].group_name("twin")

    def test_handlers_leave_the_actions_of_requests_alone(self) -> None:
        """In the consumer and in its topics; renaming the request makes room."""
        odd = topic_class(pattern="odd", handle=subscribe)
        cases: list[tuple[str, dict[str, Any]]] = [
            ("Wrong", {"topics": [BoardTopic], "handle": subscribe}),
            ("OddTopic", {"topics": [odd]}),
        ]
        for owner, attributes in cases:
            with pytest.raises(TypeError, match=rf"^{owner}\.handle\(\) handles .*'subscribe'"):
                type("Wrong", (self.base,), attributes)
            type("Right", (self.base,), {**attributes, "control_actions": {"subscribe": "join"}})
        # Without topics there is no such request.
        type("Right", (self.base,), {"handle": subscribe})

    def test_names_are_read_back(self) -> None:
        """By the pattern, with the types of `authorize()`."""
        odd = topic_class(pattern="odd.{pk}:{number}", authorize=takes_more_texts)
        assert odd.param_names == ("pk", "number")
        assert odd.parse("odd.a:5") == {"pk": "a", "number": 5}
        assert odd.parse("oddxa:5") is None
        assert odd.parse("odd.a:5:6") is None
        with pytest.raises(ValueError, match="Invalid number in the topic"):
            odd.parse("odd.a:b")

    # Broadcasts

    async def test_broadcasts_of_another_consumer(self) -> None:
        """It does not have the topic."""
        async with self.connect(Board) as ws, self.connect(Elsewhere) as other:
            await ws.subscribe("board:1")
            await other.send_message(SayMessage(payload="a"))
            assert (await ws.receive_json_from())["payload"] == "a"
            await ws.assert_nothing()

    async def test_a_topic_of_several_consumers(self) -> None:
        """Each subscriber receives an event once."""
        async with self.connect(Board) as one, self.connect(Board, max_topics=5) as two:
            for ws in (one, two):
                await ws.subscribe("board:1")
            await BoardTopic.broadcast("board:1", NewsEvent(payload="a"))
            for ws in (one, two):
                assert (await ws.receive_json_from())["payload"] == "a"
                await ws.assert_nothing()

    async def test_broadcasts_of_a_thread(self) -> None:
        """Of one that has no event loop; where one runs, the sync twin is refused."""
        async with self.connect(Board) as ws:
            await ws.subscribe("board:1")
            event = NewsEvent(payload="a")
            await asyncio.to_thread(BoardTopic.broadcast_sync, "board:1", event, seq=3)
            frame = await ws.receive_json_from()
            assert (frame["payload"], frame["seq"]) == ("a", 3)
            with pytest.raises(RuntimeError):
                BoardTopic.broadcast_sync("board:1", event)

    def remote(self, **attributes: Any) -> Any:
        """Make a class that no consumer of this process has."""
        kind = self.base.__module__.split(".")[1]
        attributes = {"pattern": "remote:{pk}", "integration": kind, **attributes}
        return topic_class("RemoteTopic", BoardTopic, **attributes)

    async def test_broadcasts_without_a_consumer(self, layer: Any) -> None:
        """They go through the layer that the class names, to whoever has the topic in another process."""
        remote = self.remote()
        channel = await layer.new_channel()
        await layer.group_add(remote.group_name("remote:1"), channel)
        await remote.broadcast("remote:1", NewsEvent(payload="a"), seq=5)
        message = await layer.receive(channel)
        await layer.group_discard(remote.group_name("remote:1"), channel)
        assert message["topic"] == "remote:1"
        assert message["seq"] == 5
        assert message["event_data"] == {"action": "news", "payload": "a"}

    @pytest.mark.parametrize(
        ("attributes", "match"),
        [
            ({"integration": "nothing"}, "RemoteTopic"),
            ({"channel_layer_alias": "elsewhere"}, "RemoteTopic has no channel layer .*elsewhere"),
        ],
    )
    async def test_broadcasts_without_a_layer(self, attributes: dict[str, Any], match: str) -> None:
        """The error names the class and the cure."""
        with pytest.raises(LookupError, match=match) as raised:
            await self.remote(**attributes).broadcast("remote:1", NewsEvent(payload="a"))
        assert "channel_layer_alias" in str(raised.value)
        assert "integration" in str(raised.value)

    async def test_broadcasts_by_a_base_class_are_warned_of(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Once, with the names of the subclasses that have the subscribers."""
        remote = self.remote()
        near, far = (
            topic_class(name, base, pattern=name)
            for name, base in (("NearTopic", remote), ("FarTopic", remote))
        )
        unused = topic_class("UnusedTopic", remote, pattern="unused")
        async with self.connect(Answering, topics=[near, far]) as ws:
            await ws.subscribe("NearTopic")
            for _ in range(2):
                await remote.broadcast("remote:1", NewsEvent(payload="a"))
            await near.broadcast("NearTopic", NewsEvent(payload="b"))
            assert (await ws.receive_json_from())["payload"] == "b"
            await ws.assert_nothing()
        (text,) = (record.getMessage() for record in caplog.records)
        assert text == (
            "RemoteTopic.broadcast() reaches nobody here: no consumer has RemoteTopic in its topics. "
            "Broadcast by NearTopic or FarTopic."
        )
        assert unused.pattern == "unused"
