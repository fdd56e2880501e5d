"""Which origins the patterns and functions of `allowed_origins` let in."""

import asyncio
import re
import sys
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chanx.core.origin import MAX_ORIGIN_LENGTH, OriginPolicy, is_allowed_origin
from chanx.type_defs import Scope


def is_allowed(policy: OriginPolicy, origin: str) -> bool:
    """Ask for a handshake with this Origin."""
    return is_allowed_origin(policy, {"headers": [(b"origin", origin.encode("latin-1"))]})


def reference(pattern: str) -> re.Pattern[str]:
    """Write a pattern as a regular expression: right, but slow where somebody wants it to be."""
    literals = pattern.lower().rstrip("/").split("*")
    return re.compile("[^/]*".join(map(re.escape, literals)))


@settings(max_examples=500)
@given(
    pattern=st.text("aAb*/:.", max_size=9),
    origin=st.text("aAb/:.\n", max_size=9),
)
@example(pattern="*ab*ab", origin="ab")
@example(pattern="ab*ba", origin="aba")
@example(pattern="https://*.a.b", origin="https://a.b/.a.b")
def test_patterns_agree_with_a_regular_expression(pattern: str, origin: str) -> None:
    """Whatever the pattern and the origin are."""
    expected = reference(pattern).fullmatch(origin.lower()) is not None
    assert is_allowed([pattern], origin) is expected


def steps(pattern: str, origin: str) -> int:
    """Count the function calls, of Python and of C, that one answer takes."""
    count = 0

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        assert not is_allowed([pattern], origin)
    finally:
        sys.setprofile(before)
    return count


def test_a_hostile_origin_costs_no_more_than_another() -> None:
    """Twenty stars on the longest origin: a regular expression would not end within a lifetime."""
    pattern = f"https://{20 * '*a'}*.b"
    hostile = "https://".ljust(MAX_ORIGIN_LENGTH, "a")
    assert steps(pattern, hostile) < 100 + 4 * pattern.count("*")
    assert steps(pattern, f"{hostile[:-3]}.bc") < 100 + 4 * pattern.count("*")


def allow_all(origin: str, scope: Scope) -> bool:
    """Let everybody in."""
    return True


@pytest.mark.parametrize("policy", [["*://*"], allow_all], ids=["pattern", "function"])
def test_a_longer_origin_is_not_looked_at(policy: Any) -> None:
    """No host has so long a name."""
    longest = "https://".ljust(MAX_ORIGIN_LENGTH, "a")
    assert is_allowed(policy, longest)
    assert not is_allowed(policy, f"{longest}a")
    assert is_allowed(None, f"{longest}a")


def test_text_between_stars_may_be_anywhere() -> None:
    """Found from the left, each after the one before."""
    assert is_allowed(["https://*-b-*-c-*.d"], "https://a-b-x-c-y.d")
    assert not is_allowed(["https://*-b-*-c-*.d"], "https://a-c-x-b-y.d")


async def test_any_awaitable_is_no_answer() -> None:
    """A future is as true as a coroutine."""
    answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def policy(origin: str, scope: Scope) -> Any:
        return answer

    with pytest.raises(TypeError, match="is async, and its answer is not awaited"):
        is_allowed(policy, "https://a.b")


@pytest.mark.parametrize("answer", [1, "yes", True, 0, "", None, False])
def test_only_the_truth_of_an_answer_counts(answer: object) -> None:
    """A function may answer with any object."""

    def check(origin: str, scope: Scope) -> Any:
        return answer

    assert is_allowed(check, "https://a") is bool(answer)


class AsyncCheck:
    """A policy that is an object, and async."""

    async def __call__(self, origin: str, scope: Scope) -> bool:
        """Let everybody in."""
        return True


async def async_check(origin: str, scope: Scope) -> bool:
    """Let everybody in."""
    return True


@pytest.mark.parametrize(
    ("check", "name"), [(async_check, "async_check"), (AsyncCheck(), "AsyncCheck")]
)
def test_an_async_function_is_refused(check: Any, name: str) -> None:
    """Its coroutine is true, whatever it would answer; it is closed, so that nothing warns."""
    with pytest.raises(TypeError, match=rf"{name}\(\) is async.*`def`, not `async def`"):
        is_allowed(check, "https://a")
