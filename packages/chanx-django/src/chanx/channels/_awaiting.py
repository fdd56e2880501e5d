"""Answers of callables of the project that may be async."""

from inspect import isawaitable
from typing import Any

from asgiref.sync import async_to_sync

__all__ = ["awaited"]


# Any: what a callable of the project returns.
def awaited(answer: Any) -> Any:
    """Return an answer, awaited if it is awaitable: an awaitable itself is always true.

    Call it in a thread without a running event loop.
    """
    return async_to_sync(_awaited)(answer) if isawaitable(answer) else answer


async def _awaited(answer: Any) -> Any:
    while isawaitable(answer):
        answer = await answer
    return answer
