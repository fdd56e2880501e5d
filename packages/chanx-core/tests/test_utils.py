"""Helpers for applications: growing text, tasks in the background."""

import asyncio
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from chanx.utils.asyncio import create_task, global_background_tasks
from chanx.utils.streaming import DeltaTracker


def test_deltas_of_a_growing_text() -> None:
    tracker = DeltaTracker()
    assert [tracker.push(text) for text in ("He", "Hello", "Hello", "Hello!")] == [
        "He",
        "llo",
        "",
        "!",
    ]
    assert tracker.text == "Hello!"
    tracker.reset()
    assert tracker.push("Bye") == "Bye"


def test_a_text_that_is_rewritten() -> None:
    tracker = DeltaTracker("2 + 2 =")
    assert tracker.advance("2 + 2 = 5") == (" 5", False)
    assert tracker.advance("2 + 2 = 4") == ("2 + 2 = 4", True)
    assert tracker.advance("2 + 2 = 4.") == (".", False)
    assert tracker.push("") == ""


async def test_a_task_is_kept_until_it_is_done() -> None:
    variable: ContextVar[int] = ContextVar("variable", default=0)
    context = copy_context()
    context.run(variable.set, 7)
    gate = asyncio.Event()

    async def work() -> int:
        await gate.wait()
        return variable.get()

    own: set[asyncio.Task[Any]] = set()
    tasks = [create_task(work(), name="work", context=context), create_task(work(), own)]
    assert (tasks[0] in global_background_tasks, own) == (True, {tasks[1]})
    assert tasks[0].get_name() == "work"
    gate.set()
    assert await asyncio.gather(*tasks) == [7, 0]
    await asyncio.sleep(0)  # done callbacks run in the next turn of the loop
    assert not own
    assert tasks[0] not in global_background_tasks


async def test_a_task_that_is_cancelled_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    own: set[asyncio.Task[Any]] = set()
    reported: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    task = create_task(asyncio.Event().wait(), own)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert task.cancelled()
    assert (own, reported, caplog.records) == (set(), [], [])


async def test_a_task_that_fails_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    reported: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    async def fail() -> None:
        raise ValueError("oops")

    task = create_task(fail())
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert [(record.message, record.levelname) for record in caplog.records] == [
        ("Background task failed", "ERROR")
    ]
    with pytest.raises(ValueError, match="oops"):
        task.result()
    del task
    assert reported == []
