"""Peers that take frames slowly, or not at all, or are gone."""

import asyncio
from typing import Any, ClassVar, Literal

import pytest

from chanx.core import open_connections
from chanx.core.decorators import ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.type_defs import ASGIEvent, Scope

NUMBER = 20


class Tell(BaseMessage):
    """Asks for so many numbers."""

    action: Literal["tell"] = "tell"
    payload: int


class Telling(ChanxWebsocketConsumerMixin[Any]):
    """Sends numbers, several at once, and closes if it is told to."""

    log_websocket_message = False
    disconnect_grace = 0.05
    outbound_frames = 4

    closes = False
    told: ClassVar[list[int]]

    @ws_handler(output_type=Tell)
    async def tell(self, message: Tell) -> None:
        """Send numbers from tasks that do not wait for one another."""
        await asyncio.gather(*(self.tell_one(number) for number in range(message.payload)))
        if self.closes:
            await self.close(4000)

    async def tell_one(self, number: int) -> None:
        """Send one number."""
        await self.send_message(Tell(payload=number))
        self.told.append(number)


class Peer:
    """Takes a frame whenever a permit is given."""

    def __init__(self, **options: Any) -> None:
        Telling.told = []
        self.taken: list[ASGIEvent] = []
        self.permits = asyncio.Semaphore(1)  # for the handshake
        self.is_gone = False
        self.events: asyncio.Queue[ASGIEvent] = asyncio.Queue()
        self.events.put_nowait({"type": "websocket.connect"})
        text = Tell(payload=NUMBER).model_dump_json()
        self.events.put_nowait({"type": "websocket.receive", "text": text})
        scope: Scope = {"type": "websocket", "path": "/", "headers": []}
        consumer = type("Telling", (Telling,), options)
        self.serving = asyncio.create_task(consumer()(scope, self.events.get, self.take))

    async def take(self, event: ASGIEvent) -> None:
        """Take one frame."""
        if self.is_gone:
            raise ConnectionResetError("gone")
        await self.permits.acquire()
        self.taken.append(event)

    def let(self, frames: int) -> None:
        """Give so many permits."""
        for _ in range(frames):
            self.permits.release()

    async def leave(self) -> None:
        """Leave, and wait for the application."""
        self.events.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await self.ended()

    async def ended(self) -> None:
        """Wait for the application."""
        async with asyncio.timeout(5):
            await self.serving
        assert open_connections() == 0

    @property
    def kinds(self) -> list[str]:
        """What was taken."""
        return [event["type"].removeprefix("websocket.") for event in self.taken]


async def until(condition: Any) -> None:
    """Let the loop run until the condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - nobody sets an event for it
            await asyncio.sleep(0)


async def turns() -> None:
    """Let everybody go as far as they can."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_senders_wait_while_the_queue_is_full() -> None:
    """One frame is being written, four wait, the other senders do: and all arrive in order."""
    peer = Peer()
    await until(lambda: len(Telling.told) == 4)
    await turns()
    assert Telling.told == [1, 2, 3, 4]
    peer.let(NUMBER)
    await until(lambda: len(peer.taken) == NUMBER + 1)
    numbers = [Tell.model_validate_json(event["text"]).payload for event in peer.taken[1:]]
    assert sorted(numbers) == list(range(NUMBER))
    assert numbers[:5] == [0, 1, 2, 3, 4]
    await peer.leave()


async def test_slow_is_not_stalled() -> None:
    """Time runs for each frame anew."""
    peer = Peer(send_timeout=0.2)
    await until(lambda: peer.taken)
    for taken in range(1, 8):
        await asyncio.sleep(0.05)
        peer.let(1)
        await until(lambda taken=taken: len(peer.taken) > taken)
    peer.let(NUMBER)
    await until(lambda: len(peer.taken) == NUMBER + 1)
    assert "close" not in peer.kinds
    await peer.leave()


async def test_stalled_peer_is_closed() -> None:
    """One that takes nothing in time: what waits is dropped, its handlers end, and 4008 is tried."""
    peer = Peer(send_timeout=0.05)
    await until(lambda: peer.taken)
    await until(lambda: len(Telling.told) >= 4)
    await asyncio.sleep(0.1)
    peer.let(2)
    await peer.ended()
    assert peer.kinds[0] == "accept"
    assert peer.taken[-1]["type"] == "websocket.close"
    assert peer.taken[-1]["code"] == 4008
    assert peer.kinds.count("send") <= 1


@pytest.mark.parametrize("frames", [4096, 4])
async def test_what_was_sent_leaves_before_the_close(frames: int) -> None:
    """A close waits behind the frames before it."""
    peer = Peer(closes=True, outbound_frames=frames)
    await until(lambda: peer.taken)
    peer.let(NUMBER + 1)
    await peer.ended()
    assert peer.kinds == ["accept", *["send"] * NUMBER, "close"]
    assert peer.taken[-1]["code"] == 4000


async def test_peer_that_has_gone_costs_nothing() -> None:
    """What is sent to it is dropped, and nobody waits."""
    peer = Peer()
    await until(lambda: len(Telling.told) == 4)
    peer.is_gone = True
    peer.let(1)
    await until(lambda: len(Telling.told) == NUMBER)
    await peer.leave()
    assert peer.kinds == ["accept", "send"]
