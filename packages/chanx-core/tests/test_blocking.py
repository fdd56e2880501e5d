"""The watch over event loops."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chanx.core.blocking import BlockingWatch
from chanx.core.decorators import ws_handler
from chanx.core.observers import add_observer, remove_observer
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.type_defs import ASGIEvent, Scope

PING: ASGIEvent = {"type": "websocket.receive", "text": '{"action": "ping", "payload": null}'}
BLOCKED = "The event loop is blocked for more than 0.3 s"


class Blocking(ChanxWebsocketConsumerMixin[Any]):
    """Sleeps where it should wait."""

    log_websocket_message = False
    pause = 0.5

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Block."""
        compute(self.pause)
        return PongMessage()


class Patient(Blocking):
    """Waits without blocking."""

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Wait as long."""
        await asyncio.sleep(self.pause)
        return PongMessage()


def compute(seconds: float) -> None:
    """Do something that is not async."""
    time.sleep(seconds)


@pytest.fixture
def watch() -> Iterator[BlockingWatch]:
    """Let a watch observe."""
    watch = BlockingWatch(seconds=0.3)
    add_observer(watch)
    yield watch
    remove_observer(watch)


async def answered(consumer: type[Blocking]) -> None:
    """Send one message, wait for its answer, and leave."""
    events: asyncio.Queue[ASGIEvent] = asyncio.Queue()
    answer = asyncio.Event()

    async def send(event: ASGIEvent) -> None:
        if event["type"] == "websocket.send":
            answer.set()

    scope: Scope = {"type": "websocket", "path": "/", "headers": []}
    serving = asyncio.create_task(consumer()(scope, events.get, send))
    for event in ({"type": "websocket.connect"}, PING):
        events.put_nowait(event)
    async with asyncio.timeout(5):
        await answer.wait()
        events.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await serving


def watching() -> list[threading.Thread]:
    """Return the threads that watch."""
    return [thread for thread in threading.enumerate() if "blocking watch" in thread.name]


async def test_handler_that_blocks_is_named(
    watch: BlockingWatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning for 500 ms, with the handler and the line at which it was; then the thread ends."""
    await answered(Blocking)
    (warning,) = [record for record in caplog.records if BLOCKED in record.getMessage()]
    assert f" by Blocking.ping, at {__file__}:" in warning.getMessage()
    assert warning.levelno == logging.WARNING
    for thread in watching():
        await asyncio.to_thread(thread.join, 2)
    assert watching() == []


async def test_a_long_block_is_one_warning(
    watch: BlockingWatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However often the watch would have looked meanwhile."""

    class Long(Blocking):
        pause = 1.2

    await answered(Long)
    assert [BLOCKED in record.getMessage() for record in caplog.records].count(True) == 1


async def test_watch_lasts_as_long_as_any_connection(
    watch: BlockingWatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The first that leaves does not end it, and an application that blocks outside of handlers is named by place."""
    stay = asyncio.Event()

    class Staying(Patient):
        pause = 0

        async def post_authentication(self) -> None:
            stay.set()

    events: asyncio.Queue[ASGIEvent] = asyncio.Queue()

    async def send(event: ASGIEvent) -> None: ...

    scope: Scope = {"type": "websocket", "path": "/", "headers": []}
    serving = asyncio.create_task(Staying()(scope, events.get, send))
    events.put_nowait({"type": "websocket.connect"})
    async with asyncio.timeout(5):
        await stay.wait()
        await answered(Staying)
        compute(0.5)
        events.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await serving
    (warning,) = [record for record in caplog.records if BLOCKED in record.getMessage()]
    assert f" by None, at {__file__}:" in warning.getMessage()


async def test_handler_that_waits_is_not(
    watch: BlockingWatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It may take as long as it likes."""
    await answered(Patient)
    assert BLOCKED not in caplog.text


async def test_nobody_watches_by_default() -> None:
    """No thread is started."""
    before = watching()  # the thread of another test may still be on its way out
    await answered(Patient)
    assert [thread for thread in watching() if thread not in before] == []


def test_a_time_has_to_be_positive() -> None:
    """Anything else would ask without end."""
    with pytest.raises(ValueError, match="has to be positive, but it is 0"):
        BlockingWatch(0)
