"""A hundred topics with ten thousand subscriptions in one process, subscribed to and left at random under load."""

import asyncio
import json
from collections import Counter
from random import Random
from typing import Any, ClassVar, Literal

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.health import snapshot
from chanx.core.topic import Topic
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import FaultyChannelLayer, WebsocketCommunicator, no_leaks

TOPICS = 100
CLIENTS = 100
CHANGES = 40


class NewsEvent(BaseMessage):
    """An event, and the frame that it becomes."""

    action: Literal["news"] = "news"
    payload: int


class RoomTopic(Topic[NewsEvent]):
    """A room."""

    pattern = "room:{pk}"
    running: ClassVar[Counter[str]] = Counter()

    async def on_subscribe(self) -> None:
        """Count."""
        self.running[self.topic] += 1

    async def on_unsubscribe(self) -> None:
        """Count back."""
        self.running[self.topic] -= 1

    @event_handler
    async def news(self, event: NewsEvent) -> NewsEvent:
        """Pass it on."""
        return event


def the_layer(alias: str) -> FaultyChannelLayer:
    """Return that of the current run under every alias."""
    return Hub.layer


class Hub(ChanxWebsocketConsumerMixin[Any]):
    """Has the rooms."""

    topics: ClassVar[Any] = [RoomTopic]
    max_topics = TOPICS
    max_pending = 2 * TOPICS
    layer: ClassVar[FaultyChannelLayer]

    get_channel_layer: ClassVar[Any] = staticmethod(the_layer)

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        return PongMessage()


class Client:
    """A connection that subscribes and unsubscribes as its random numbers say."""

    def __init__(self, seed: int) -> None:
        application: Any = Hub()
        self.ws = WebsocketCommunicator(application, "/ws", consumer=Hub)
        self.random = Random(seed)
        self.names: list[str] = [f"room:{number}" for number in range(TOPICS)]
        self.open: set[str] = set()
        self.last: Counter[str] = Counter()

    async def send(self, action: str, name: str) -> None:
        """Send a request about a topic."""
        await self.ws.send_to(text_data=json.dumps({"action": action, "topic": name}))

    async def receive_answers(self, number: int) -> None:
        """Receive until so many requests are confirmed."""
        while number:
            number -= await self.receive()

    async def receive(self) -> bool:
        """Receive a frame, and return whether it answers a request."""
        frame = await self.ws.receive_json_from(timeout=15)
        name = frame["topic"]
        if frame["action"] == "news":
            assert name in self.open
            assert frame["payload"] > self.last[name]
            self.last[name] = frame["payload"]
            return False
        if frame["action"] == "subscribed":
            self.open.add(name)
        else:
            assert frame["action"] == "unsubscribed"
            self.open.discard(name)
        return True

    async def subscribe_to_all(self) -> None:
        """Subscribe to every topic, in an order of its own."""
        await self.ws.connect()
        self.random.shuffle(self.names)
        for name in self.names:
            await self.send("subscribe", name)
        await self.receive_answers(TOPICS)

    async def change(self) -> None:
        """Give topics up and take others, and leave some to the end of the connection."""
        for _ in range(CHANGES):
            action = self.random.choice(["subscribe", "unsubscribe"])
            await self.send(action, self.random.choice(self.names))
            await self.receive_answers(1)

    async def leave(self) -> None:
        """Give half of the topics up, and disconnect before the answers have come."""
        for name in self.names[: TOPICS // 2]:
            await self.send("unsubscribe", name)
        await self.ws.disconnect()


async def broadcast_until(done: asyncio.Event) -> int:
    """Broadcast to one topic after the other until everybody has left; return how many broadcasts there were."""
    number = 0
    while not done.is_set():
        number += 1
        await RoomTopic.broadcast(f"room:{number % TOPICS}", NewsEvent(payload=number))
        await asyncio.sleep(0)
    return number


async def test_ten_thousand_subscriptions() -> None:
    """No member, task or group is left, and every client has received events, in order."""
    layer = Hub.layer = FaultyChannelLayer(capacity=100_000)
    RoomTopic.running.clear()
    clients = [Client(seed) for seed in range(CLIENTS)]
    async with no_leaks(layer), asyncio.timeout(60):
        await asyncio.gather(*(client.subscribe_to_all() for client in clients))
        assert sum(RoomTopic.running.values()) == TOPICS * CLIENTS == 10_000
        assert snapshot().groups == TOPICS
        done = asyncio.Event()
        load = asyncio.ensure_future(broadcast_until(done))
        await asyncio.gather(*(client.change() for client in clients))
        assert sum(RoomTopic.running.values()) == sum(len(client.open) for client in clients)
        await asyncio.gather(*(client.leave() for client in clients))
        done.set()
        assert await load
    assert all(client.last for client in clients)
    assert not +RoomTopic.running
    assert (snapshot().connections, snapshot().groups) == (0, 0)
