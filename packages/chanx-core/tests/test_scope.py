"""Reading a scope, whoever made it."""

from typing import Any

import pytest

from chanx.type_defs import Scope
from chanx.utils.scope import (
    complete_scope,
    header,
    path_param,
    path_params,
    query_params,
    scope_user,
)


class User:
    """A user as frameworks have them."""

    def __init__(self, *, is_authenticated: bool) -> None:
        self.is_authenticated = is_authenticated


DJANGO: Scope = {"path": "/a/1", "url_route": {"args": (), "kwargs": {"number": 1}}}
STARLETTE: Scope = {"path": "/a/1", "path_params": {"number": 1}}


@pytest.mark.parametrize("scope", [DJANGO, STARLETTE], ids=["django", "starlette"])
def test_parameters_are_found_whoever_routed(scope: Scope) -> None:
    """Both spellings are there afterwards, and what was given stays as it was."""
    before = dict(scope)
    whole = complete_scope(scope)
    assert path_params(scope) == {"number": 1}
    assert whole["path_params"] == whole["url_route"]["kwargs"] == {"number": 1}
    assert whole["path_info"] == "/a/1"
    assert scope == before


def test_one_parameter() -> None:
    """With a default, or an error that names what is missing."""
    assert path_param(STARLETTE, "number") == 1
    assert path_param(STARLETTE, "other", None) is None
    with pytest.raises(KeyError, match="No path parameter 'other' in scope"):
        path_param(STARLETTE, "other")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"", {}),
        (b"a=1&a=2&b=", {"a": ["1", "2"], "b": [""]}),
        (b"name=%C3%A9%20x", {"name": ["\u00e9 x"]}),
    ],
)
def test_query(query: bytes, found: dict[str, list[str]]) -> None:
    """Every value of every name, the empty ones included."""
    assert query_params({"query_string": query}) == found


def test_query_and_headers_may_be_left_out() -> None:
    """A test's own scope need not have them."""
    assert query_params({}) == {}
    assert header({}, "origin") is None


def test_first_header_counts() -> None:
    """However its name is written."""
    scope: Scope = {"headers": [(b"X-Other", b"0"), (b"Origin", b"http://a"), (b"origin", b"b")]}
    assert header(scope, "origin") == "http://a"


@pytest.mark.parametrize(
    ("user", "is_somebody"),
    [
        (None, False),
        (User(is_authenticated=False), False),
        (User(is_authenticated=True), True),
        ("ada", True),
    ],
    ids=["none", "anonymous", "authenticated", "name"],
)
def test_user(user: Any, is_somebody: bool) -> None:
    """An anonymous user is nobody; what has no such mark is somebody."""
    assert scope_user({"user": user}) is (user if is_somebody else None)
    assert scope_user({}) is None
