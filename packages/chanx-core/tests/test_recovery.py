"""Recovery from an outage of the channel layer takes no longer than it has to."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chanx.core._groups import heartbeat as beating
from chanx.core._groups.heartbeat import Heartbeat
from chanx.core._groups.outage import Outage

TIME_LIMIT = 10.0


async def no_groups() -> None:
    """Join no groups again: there are none."""


class Layer:
    """A layer in memory that loses a message with each failure to receive, as one whose pool has broken connections."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.groups: dict[str, set[str]] = defaultdict(set)
        self.queues: dict[str, asyncio.Queue[Any]] = defaultdict(asyncio.Queue)

    async def new_channel(self) -> str:
        """Return the name of the only channel."""
        return "channel"

    async def send(self, channel: str, message: Any) -> None:
        """Send to a channel."""
        self.queues[channel].put_nowait(message)

    async def receive(self, channel: str) -> Any:
        """Return the next message, or lose it."""
        message = await self.queues[channel].get()
        if self.failures:
            self.failures -= 1
            raise ConnectionError("broken")
        return message

    async def group_add(self, group: str, channel: str) -> None:
        """Join."""
        self.groups[group].add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        """Leave."""
        self.groups[group].discard(channel)

    async def group_send(self, group: str, message: Any) -> None:
        """Send to the members of a group."""
        for channel in self.groups[group]:
            await self.send(channel, message)


async def nothing() -> None:
    """Answer."""


@asynccontextmanager
async def heartbeat_on(layer: Any) -> AsyncGenerator[Heartbeat]:
    """Run a heartbeat that waits a minute for its messages."""
    outage = Outage(nothing, lambda: None, lambda: "layer")
    heartbeat = Heartbeat(layer, outage, 60.0, lambda message: None, no_groups)
    try:
        yield heartbeat
    finally:
        await heartbeat.stop()
        await outage.stop()


async def test_beat_does_not_wait_for_a_message_that_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(beating, "_INTERVAL", 60.0)
    monkeypatch.setattr(beating, "_GRACE", TIME_LIMIT)
    async with asyncio.timeout(TIME_LIMIT), heartbeat_on(Layer(failures=1)) as heartbeat:
        with pytest.raises(ConnectionError, match="broken"):
            await heartbeat.beat()
        await heartbeat.beat()


class Answers:
    """Raises errors, one after the other, and then none."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.times: list[float] = []

    async def __call__(self) -> None:
        """Answer, or raise the next error."""
        self.times.append(asyncio.get_running_loop().time())
        if self._errors:
            raise self._errors.pop(0)


async def recover(answers: Callable[[], Any]) -> None:
    """Have an outage, and wait for its end."""
    outage = Outage(answers, lambda: None, lambda: "layer")
    async with asyncio.timeout(TIME_LIMIT):
        await outage.over(ConnectionError("broken"))
    await outage.stop()


async def test_broken_connections_of_a_pool_cost_no_delay() -> None:
    answers = Answers(*[ConnectionError("broken")] * 4)
    await recover(answers)
    assert len(answers.times) == 5
    assert answers.times[-1] - answers.times[0] < 0.05


async def test_layer_that_does_not_answer_is_asked_again_after_a_delay() -> None:
    answers = Answers(TimeoutError())
    await recover(answers)
    assert answers.times[1] - answers.times[0] >= 0.05
