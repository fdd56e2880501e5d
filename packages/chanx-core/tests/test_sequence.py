"""Numbers on group messages, and the gaps in them."""

import asyncio
from typing import Any

import pytest

from chanx.core import _sequence
from chanx.core._sequence import Gaps, Sequence


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give late messages a hundredth of a second."""
    monkeypatch.setattr(_sequence, "_PATIENCE", 0.01)


class Losses:
    """Gaps, and what they tell."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.change = asyncio.Event()
        self.gaps = Gaps(self.take)

    def take(self, lost: int) -> None:
        """Note a loss."""
        self.told.append(lost)
        self.change.set()

    async def settled(self) -> list[int]:
        """Return what was told by the time that everything late would have been missed."""
        marker = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, marker.set)
        await marker.wait()
        return self.told


async def test_numbers_are_of_one_group_and_sender() -> None:
    """Each group is counted by itself, and two processes have different names."""
    one, other = Sequence(), Sequence()
    assert [one.stamp("a")["number"], one.stamp("b")["number"], one.stamp("a")["number"]] == [
        1,
        1,
        2,
    ]
    assert one.stamp("a")["sender"] == one.stamp("b")["sender"] != other.stamp("a")["sender"]


async def test_sequence_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """With too many groups it begins anew under another name, which is no loss to anybody."""
    monkeypatch.setattr(_sequence, "_GROUPS", 2)
    sequence, losses = Sequence(), Losses()
    names = set[str]()
    for group in ("a", "a", "b", "a", "c", "a"):
        stamp = sequence.stamp(group)
        names.add(stamp["sender"])
        if group == "a":
            losses.gaps.note(**stamp)
    assert len(names) > 1
    assert await losses.settled() == []


def test_number_of_a_message_that_was_not_sent_is_given_again() -> None:
    """It is missed by nobody. Behind a later number it stays as it is."""
    sequence = Sequence()
    sequence.take_back("a", sequence.stamp("a"))
    first = sequence.stamp("a")
    second = sequence.stamp("a")
    sequence.take_back("a", first)
    assert (first["number"], second["number"], sequence.stamp("a")["number"]) == (1, 2, 3)


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
        losses.gaps.note("sender", number)
    assert await losses.settled() == lost


async def test_gaps_of_several_senders() -> None:
    """Numbers of one sender say nothing about another's."""
    losses = Losses()
    for sender, number in (("a", 1), ("b", 5), ("a", 2), ("b", 6), ("a", 4)):
        losses.gaps.note(sender, number)
    assert await losses.settled() == [1]


async def test_forgotten_gaps() -> None:
    """After `forget()` nothing is missing, and the next number is as good as any."""
    losses = Losses()
    losses.gaps.note("a", 1)
    losses.gaps.note("a", 9)
    losses.gaps.forget()
    losses.gaps.note("a", 20)
    assert await losses.settled() == []
