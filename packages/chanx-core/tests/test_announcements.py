"""Numbers on group messages, the gaps in them, and the announcements of how far a burst has got."""

import asyncio
from typing import Any, cast

import pytest

from chanx.core._groups import announcer as announcing
from chanx.core._groups import gap_detection
from chanx.core._groups.announcer import ANNOUNCEMENTS, Announcement, Announcer
from chanx.core._groups.gap_detection import Gaps


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give late messages a hundredth of a second, and announce as often."""
    monkeypatch.setattr(gap_detection, "_PATIENCE", 0.01)
    monkeypatch.setattr(gap_detection, "_ON_ITS_WAY", 0.01)
    monkeypatch.setattr(announcing, "_INTERVAL", 0.01)
    monkeypatch.setattr(announcing, "_RETRY", 0.01)


class Losses:
    """Gaps, and what they tell."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.gaps = Gaps(self.told.append)

    async def settled(self) -> list[int]:
        """Return what was told by the time that everything late would have been missed."""
        marker = asyncio.Event()
        asyncio.get_running_loop().call_later(0.15, marker.set)
        await marker.wait()
        return self.told


class Layer:
    """Keeps what is announced, and fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.sent: list[tuple[str, Any]] = []
        self.news = asyncio.Semaphore(0)

    async def group_send(self, group: str, message: Any) -> None:
        """Take a message."""
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        self.sent.append((group, message["tails"]))
        self.news.release()


async def test_numbers_are_of_one_burst_of_one_sender_to_one_group() -> None:
    one, other = Announcer(), Announcer()
    stamps = [one.stamp("a"), one.stamp("b"), one.stamp("a"), other.stamp("a")]
    assert [stamp["number"] for stamp in stamps] == [1, 1, 2, 1]
    assert stamps[0]["sender"] == stamps[2]["sender"]
    assert len({stamp["sender"] for stamp in stamps}) == 3


async def test_burst_ends_with_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where nobody announces it, as in a process whose event loops are short."""
    monkeypatch.setattr(announcing, "_BURST_ENDS", 0.0)
    announcer = Announcer()
    first = announcer.stamp("a")
    await Losses().settled()
    second = announcer.stamp("a")
    assert first["sender"] != second["sender"]
    assert second["number"] == 1


async def test_number_of_a_message_that_was_not_sent_is_given_again() -> None:
    """It is missed by nobody. Behind a later number it stays as it is."""
    announcer = Announcer()
    announcer.take_back("a", announcer.stamp("a"))
    first = announcer.stamp("a")
    second = announcer.stamp("a")
    announcer.take_back("a", first)
    assert (first["number"], second["number"], announcer.stamp("a")["number"]) == (1, 2, 3)


@pytest.mark.parametrize("failures", [0, 3])
async def test_burst_is_announced_a_few_times_and_forgotten(failures: int) -> None:
    """However often the layer failed before; then nothing is left to announce, and no timer runs."""
    announcer, layer = Announcer(), cast(Any, Layer(failures))
    for number in range(1200):
        announcer.stamp(f"group-{number}")
    last = announcer.stamp("group-0")
    announcer.announce_soon(layer, is_local=False, timeout=1)
    async with asyncio.timeout(5):
        for _ in range(6 * 3):
            await layer.news.acquire()
    assert {group for group, _ in layer.sent} == {ANNOUNCEMENTS}
    assert [len(tails) for _, tails in layer.sent[:3]] == [500, 500, 200]
    group, sender, number, age = layer.sent[0][1][0]
    assert (group, sender, number) == ("group-0", last["sender"], 2)
    assert age >= 0
    await Losses().settled()
    assert len(layer.sent) == 18
    assert announcer.stamp("group-0")["number"] == 1


async def test_local_layer_is_not_asked_to_announce() -> None:
    announcer, layer = Announcer(), cast(Any, Layer())
    heard: list[Announcement] = []
    announcer.listen(heard.append)
    stamp = announcer.stamp("a")
    announcer.announce_soon(layer, is_local=True, timeout=1)
    await Losses().settled()
    assert layer.sent == []
    assert [(tail.group, tail.sender, tail.number) for tail in heard[0]] == [
        ("a", stamp["sender"], 1)
    ]
    assert len(heard) == 6


@pytest.mark.parametrize(
    ("numbers", "lost"),
    [
        ([1, 2, 3], []),
        ([7, 8, 9], []),
        ([1, 3], [1]),
        ([1, 5, 9], [6]),
        ([1, 3, 2, 4], []),
        ([1, 4, 2], [1]),
        ([1, 2, 2, 3], []),
        ([None, 1, None, 2], []),
    ],
    ids=str,
)
async def test_gaps(numbers: list[Any], lost: list[int]) -> None:
    """What does not come in time is lost; what comes late, twice or without a number is not."""
    losses = Losses()
    for number in numbers:
        losses.gaps.note("sender", number, None)
    assert await losses.settled() == lost


@pytest.mark.parametrize(
    ("numbers", "repeated"),
    [
        ([1, 2, 3], []),
        ([1, 2, 2, 3, 1], [2, 1]),
        ([1, 3, 2, 2], [2]),
        ([5, 4, 6], []),
        ([None, None], []),
    ],
    ids=str,
)
async def test_repeated_numbers(numbers: list[Any], repeated: list[int]) -> None:
    """One that has come before is none again; what came before the first is unknown."""
    gaps = Losses().gaps
    assert [number for number in numbers if not gaps.note("sender", number, None)] == repeated


async def test_repeated_numbers_after_a_break() -> None:
    """What has come is known; what was lost is new when it comes all the same, once."""
    losses = Losses()
    for number in (1, 2, 4):
        losses.gaps.note("sender", number, None)
    losses.gaps.forget()
    fresh = [losses.gaps.note("sender", number, None) for number in (2, 3, 3, 4, 7, 6, 7)]
    assert fresh == [False, True, False, False, True, True, False]
    assert await losses.settled() == []


async def test_very_many_lost_numbers_are_not_remembered() -> None:
    """Rather than drop a message that is new, one may be delivered twice."""
    losses = Losses()
    losses.gaps.note("sender", 1, None)
    losses.gaps.note("sender", 1_000_000, None)
    await losses.settled()
    assert losses.gaps.note("sender", 5, None)
    assert not losses.gaps.note("sender", 1_000_000, None)


@pytest.mark.parametrize(
    ("numbers", "age", "lost"),
    [
        ([1, 2, 3], 0.0, []),
        ([1, 2], 0.0, [1]),
        ([], 0.0, [1]),
        ([], 60.0, []),
        ([3], 60.0, []),
        ([2], 60.0, [1]),
        ([3, 1, 2], 0.0, []),
    ],
    ids=str,
)
async def test_announced_tail(numbers: list[int], age: float, lost: list[int]) -> None:
    """What was sent since the group has members here must have come."""
    losses = Losses()
    await losses.settled()
    for number in numbers:
        losses.gaps.note("sender", number, None)
    losses.gaps.hear("sender", 3, age)
    assert await losses.settled() == lost


@pytest.mark.parametrize(("since", "lost"), [(0.0, [1]), (60.0, []), (None, [])])
async def test_first_message_that_comes_tells_of_the_one_before(
    since: float | None, lost: list[int]
) -> None:
    """If that was sent since the group has members here, it must have come."""
    losses = Losses()
    await losses.settled()
    losses.gaps.note("sender", 3, since)
    assert await losses.settled() == lost


async def test_announcement_may_come_before_the_messages() -> None:
    """It takes another way."""
    losses = Losses()
    await losses.settled()
    losses.gaps.hear("sender", 2, 0.0)
    losses.gaps.note("sender", 1, None)
    losses.gaps.note("sender", 2, None)
    losses.gaps.note("sender", 3, None)
    assert await losses.settled() == []


async def test_gaps_of_many_senders() -> None:
    """Numbers of one sender say nothing about another's, and none is forgotten while it sends."""
    losses = Losses()
    for number in range(200):
        losses.gaps.note(f"sender-{number}", 1, None)
    for number in range(200):
        losses.gaps.note(f"sender-{number}", 3, None)
    assert sum(await losses.settled()) == 200


async def test_past_bursts_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that lives for long remembers those of the last seconds."""
    monkeypatch.setattr(gap_detection, "_FORGET_AFTER", 0.0)
    losses = Losses()
    for number in range(10_000):
        losses.gaps.note(f"sender-{number}", 1, None)
        if number % 100 == 0:
            await asyncio.sleep(0)
    # Memory that is freed has no public door.
    assert len(losses.gaps._bursts) <= 200  # pyright: ignore[reportPrivateUsage]


async def test_blocked_event_loop_is_no_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer that is late shows that what has arrived could not be handled yet."""
    monkeypatch.setattr(gap_detection, "_BLOCKED", 0.02)
    losses = Losses()
    losses.gaps.note("sender", 1, None)
    losses.gaps.note("sender", 3, None)
    end = asyncio.get_running_loop().time() + 0.05
    while asyncio.get_running_loop().time() < end:
        pass
    await asyncio.sleep(0)
    losses.gaps.note("sender", 2, None)
    assert await losses.settled() == []


async def test_forgotten_gaps() -> None:
    """After `forget()` nothing is missing, and the next number is as good as any."""
    losses = Losses()
    losses.gaps.note("a", 1, None)
    losses.gaps.note("a", 9, None)
    losses.gaps.forget()
    losses.gaps.note("a", 20, None)
    assert await losses.settled() == []
