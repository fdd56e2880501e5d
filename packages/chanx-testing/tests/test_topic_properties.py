"""Whatever clients do with topics and in which order: every answer and every event once, in order, and nothing left."""

import asyncio
import json
from collections import Counter, defaultdict
from typing import Any, ClassVar, Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.health import snapshot
from chanx.core.topic import Topic
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.testing import FaultyChannelLayer, WebsocketCommunicator
from chanx.type_defs import JSONObject

CLIENTS = 3
LIMIT = 3
ROOMS = [f"room:{number}" for number in range(LIMIT + 1)]
NAMES = [*ROOMS, "room:9", "nothing"]
CLIENT = st.integers(0, CLIENTS - 1)
NAME = st.sampled_from(NAMES)
ROOM = st.sampled_from(ROOMS)
TURNS = st.integers(0, 6)


class SayMessage(BaseMessage):
    """Asks for an answer."""

    action: Literal["say"] = "say"
    payload: int


class ShoutMessage(BaseMessage):
    """Asks for an answer, and for a broadcast to the others."""

    action: Literal["shout"] = "shout"
    payload: int


class HeardMessage(BaseMessage):
    """What a broadcast becomes."""

    action: Literal["heard"] = "heard"
    payload: int


class WordEvent(BaseMessage):
    """An event."""

    action: Literal["word"] = "word"
    payload: int


class SlowLayer(FaultyChannelLayer):
    """Takes a few turns to join and to leave a group."""

    async def group_add(self, group: str, channel: str) -> None:
        """Join."""
        await pass_turns(2)
        await super().group_add(group, channel)
        await pass_turns(2)

    async def group_discard(self, group: str, channel: str) -> None:
        """Leave."""
        await pass_turns(2)
        await super().group_discard(group, channel)


class RoomTopic(Topic[WordEvent]):
    """A room, which takes a few turns to decide."""

    pattern = "room:{pk}"
    running: ClassVar[Counter[tuple[int, str]]] = Counter()

    async def authorize(self, pk: int) -> bool:
        """Allow all but one."""
        await pass_turns(pk)
        return pk < 9

    async def on_subscribe(self) -> None:
        """Count."""
        self.running[id(self.consumer), self.topic] += 1
        await pass_turns(1)

    async def on_unsubscribe(self) -> None:
        """Count back."""
        await pass_turns(1)
        self.running[id(self.consumer), self.topic] -= 1

    @ws_handler
    async def say(self, message: SayMessage) -> SayMessage:
        """Answer."""
        await pass_turns(message.payload % 3)
        return message

    @ws_handler
    async def shout(self, message: ShoutMessage) -> ShoutMessage:
        """Answer, after a broadcast to the others."""
        await self.broadcast(WordEvent(payload=message.payload), exclude_current=True)
        return message

    @event_handler
    async def word(self, event: WordEvent) -> HeardMessage:
        """Pass it on."""
        return HeardMessage(payload=event.payload)


def the_layer(alias: str) -> SlowLayer:
    """Return that of the current run under every alias."""
    return Hub.layer


class Hub(ChanxWebsocketConsumerMixin[Any]):
    """Has the rooms."""

    topics: ClassVar[Any] = [RoomTopic]
    max_topics = LIMIT
    max_pending = 512
    layer: ClassVar[SlowLayer] = SlowLayer()

    get_channel_layer: ClassVar[Any] = staticmethod(the_layer)

    @ws_handler(output_type=HeardMessage)
    async def nothing(self, message: SayMessage) -> None:
        """Do nothing."""


async def pass_turns(number: int) -> None:
    """Let others run so many times."""
    for _ in range(number):
        await asyncio.sleep(0)


class Client:
    """One connection, what it has asked for, and what has come."""

    def __init__(self) -> None:
        self.hub = Hub()
        application: Any = self.hub
        self.ws = WebsocketCommunicator(application, "/ws", consumer=Hub)
        self.asked: set[str] = set()
        """Topics that the client has once its frames are handled: they are, in order."""
        self.known: set[str] = set()
        """Topics whose confirmation has come."""
        self.answers: list[tuple[str, str, str]] = []
        """What has to come, in order: action or reason, topic, reference."""
        self.due: defaultdict[str, list[int]] = defaultdict(list)
        """Numbers of broadcasts that have to come."""
        self.last: Counter[str] = Counter()
        """The highest number that has come."""
        self.sent = 0

    async def send(self, action: str, topic: str, **keys: Any) -> None:
        """Send a frame, and note what the answer has to be."""
        self.sent += 1
        ref = f"{self.sent}"
        self.answers.append((self.expected(action, topic), topic, ref))
        frame = {"action": action, "topic": topic, "ref": ref, **keys}
        await self.ws.send_to(text_data=json.dumps(frame))

    def expected(self, action: str, topic: str) -> str:
        """Return the answer to a frame, and change what is asked."""
        if action == "unsubscribe":
            self.give_up(topic)
            return "unsubscribed"
        if action != "subscribe":
            return action if topic in self.asked else "not_subscribed"
        if topic in self.asked:
            return "subscribed"
        if len(self.asked) == LIMIT:
            return "too_many_topics"
        if topic not in ROOMS:
            return "unknown_topic" if topic == "nothing" else "unauthorized"
        self.asked.add(topic)
        return "subscribed"

    def give_up(self, topic: str) -> None:
        """Expect nothing any more: what is on its way now may come or not."""
        self.asked.discard(topic)
        self.due[topic].clear()

    def expect_broadcast(self, topic: str, number: int) -> None:
        """Expect an event if the client knows that it is subscribed."""
        if topic in self.asked & self.known:
            self.due[topic].append(number)

    def look(self) -> None:
        """Check the frames that have come."""
        while (event := self.ws.output_queue.take()) is not None:
            frame = json.loads(event["text"])
            if frame["action"] == "heard":
                self.check_event(frame["topic"], frame["payload"])
            else:
                self.check_answer(frame)

    def check_event(self, topic: str, number: int) -> None:
        """Accept an event of a topic that the client has, once, in order, without a gap."""
        assert topic in self.known
        assert number > self.last[topic]
        self.last[topic] = number
        due = self.due[topic]
        if number in due:
            assert due.pop(0) == number

    def check_answer(self, frame: JSONObject) -> None:
        """Accept the next answer."""
        action, topic = frame["action"], frame["topic"]
        reason = frame["payload"]["reason"] if action == "error" else action
        assert (reason, topic, frame["ref"]) == self.answers.pop(0)
        if action == "subscribed":
            self.known.add(topic)
        elif action == "unsubscribed":
            self.known.discard(topic)

    def check_settled(self) -> None:
        """Check that everything has come, and that the server sees it as the client does."""
        self.look()
        assert not self.answers
        assert not any(self.due.values())
        assert self.asked == self.known == set(self.hub.subscriptions)


class Conversations(RuleBasedStateMachine):
    """Several connections to the same topics."""

    def __init__(self) -> None:
        super().__init__()
        Hub.layer = SlowLayer(capacity=10_000)
        RoomTopic.running.clear()
        self.runner = asyncio.Runner()
        self.numbers = 0
        self.clients = [Client() for _ in range(CLIENTS)]
        self.runner.run(self.begin())

    async def begin(self) -> None:
        """Connect everybody."""
        for client in self.clients:
            await client.ws.connect()

    @rule(client=CLIENT, name=NAME, turns=TURNS)
    def subscribe(self, client: int, name: str, turns: int) -> None:
        """Subscribe to a topic, also to one that is refused."""
        self.runner.run(self.exchange(client, turns, "subscribe", name))

    @rule(client=CLIENT, name=NAME, turns=TURNS)
    def unsubscribe(self, client: int, name: str, turns: int) -> None:
        """Give a topic up, also one that the client has not."""
        self.runner.run(self.exchange(client, turns, "unsubscribe", name))

    @rule(client=CLIENT, name=NAME, turns=TURNS)
    def say(self, client: int, name: str, turns: int) -> None:
        """Send a message to a topic."""
        self.runner.run(self.exchange(client, turns, "say", name, payload=turns))

    async def exchange(self, client: int, turns: int, action: str, name: str, **keys: Any) -> None:
        """Send a frame, and look at what has come after some turns."""
        await self.clients[client].send(action, name, **keys)
        await pass_turns(turns)
        self.look()

    def look(self) -> None:
        """Check what has come to anybody."""
        for client in self.clients:
            client.look()

    @rule(name=ROOM, count=st.integers(1, 3), turns=TURNS)
    def broadcast(self, name: str, count: int, turns: int) -> None:
        """Broadcast from outside."""

        async def send() -> None:
            for _ in range(count):
                self.look()
                self.numbers += 1
                for client in self.clients:
                    client.expect_broadcast(name, self.numbers)
                await RoomTopic.broadcast(name, WordEvent(payload=self.numbers))
            await pass_turns(turns)
            self.look()

        self.runner.run(send())

    @rule(client=CLIENT, name=ROOM)
    def shout(self, client: int, name: str) -> None:
        """Broadcast from a topic, to the others."""

        async def send() -> None:
            await self.settle()
            self.numbers += 1
            speaker = self.clients[client]
            if name in speaker.asked:
                for other in self.clients:
                    if other is not speaker:
                        other.expect_broadcast(name, self.numbers)
            await speaker.send("shout", name, payload=self.numbers)
            await self.settle()
            assert speaker.last[name] < self.numbers

        self.runner.run(send())

    @rule(client=CLIENT, code=st.sampled_from([1000, 1006]))
    def reconnect(self, client: int, code: int) -> None:
        """Disconnect, whatever is on its way, and connect again."""

        async def again() -> None:
            await self.clients[client].ws.disconnect(code)
            self.clients[client] = Client()
            await self.clients[client].ws.connect()

        self.runner.run(again())

    @rule()
    def wait(self) -> None:
        """Let the server finish: then everything has come."""
        self.runner.run(self.settle())

    async def settle(self) -> None:
        """Wait until the server has nothing to do, and check members against the model."""
        for client in self.clients:
            await client.ws.idle()
        for client in self.clients:
            client.check_settled()
        subscribed = Counter(name for client in self.clients for name in client.asked)
        assert +RoomTopic.running == Counter(
            (id(client.hub), name) for client in self.clients for name in client.asked
        )
        assert self.members() == {RoomTopic.group_name(name) for name in subscribed}

    def members(self) -> set[str]:
        """Return the groups of topics that have a member."""
        names = {RoomTopic.group_name(name) for name in NAMES}
        return names & Hub.layer.groups.keys()

    def teardown(self) -> None:
        """Disconnect everybody: nothing is left."""
        self.runner.run(self.finish())
        self.runner.close()

    async def finish(self) -> None:
        """End the conversations."""
        await self.settle()
        for client in self.clients:
            await client.ws.disconnect()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            _, left = await asyncio.wait(left, timeout=1)
        assert not left
        assert (snapshot().connections, snapshot().groups) == (0, 0)
        assert not Hub.layer.groups
        assert not +RoomTopic.running


def test_conversations() -> None:
    """Requests, messages, broadcasts and disconnects in any order."""
    run_state_machine_as_test(
        Conversations, settings=settings(max_examples=60, stateful_step_count=30, deadline=None)
    )
