"""Large messages: how deep they are, and what an invalid one costs."""

import json
from typing import Any, Literal, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

from chanx.core._wire.early_stop import detailed_up_to, stopping_early
from chanx.core._wire.json_depth import is_shallow

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int"

values: st.SearchStrategy[JSON] = st.recursive(
    st.text(alphabet='[]{}"\\a', max_size=6) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('[]"\\', max_size=3), inner)
    ),
    max_leaves=20,
)


def depth_of(value: JSON) -> int:
    """Return how deep a value is nested."""
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


@given(value=values, limit=st.integers(0, 6))
def test_depth_is_never_taken_for_less(value: JSON, limit: int) -> None:
    """Whatever brackets, quotes and escapes are in its strings."""
    if is_shallow(json.dumps(value), limit):
        assert depth_of(value) <= limit


@given(value=values.filter(lambda value: not set("[]{}") & set(str(strings_of(value)))))
def test_depth_is_found_where_no_string_has_brackets(value: JSON) -> None:
    assert is_shallow(json.dumps(value), depth_of(value))
    if depth_of(value):
        assert not is_shallow(json.dumps(value), depth_of(value) - 1)


def strings_of(value: JSON) -> str:
    """Return every string in a value, keys included, one after the other."""
    if isinstance(value, dict):
        return "".join(key + strings_of(item) for key, item in value.items())
    if isinstance(value, list):
        return "".join(map(strings_of, value))
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize("depth", [63, 64, 65, 1000])
def test_string_that_hides_a_level(depth: int) -> None:
    """Brackets in strings, placed so that each closes what an array has opened."""
    text = '["]",' * depth + "0" + ',"["]' * depth
    assert not is_shallow(text, 64)


class Leaf(BaseModel):
    """Something strict, which reads JSON in its own way."""

    model_config = ConfigDict(strict=True)

    kind: Literal["leaf"] = "leaf"
    pair: tuple[int, str] = (0, "")
    names: set[str] = set()


class Branch(BaseModel):
    """Something with collections of several kinds in each other."""

    kind: Literal["branch"] = "branch"
    leaves: dict[str, Leaf | int | list[int]] = {}
    branches: list["Branch | Leaf"] = []


any_json: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["leaf", "branch", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "pair", "names", "leaves", "branches"]), inner)
    ),
    max_leaves=15,
)
leaves: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.just("leaf"),
        "pair": st.tuples(st.integers(), st.text(max_size=2)).map(list) | any_json,
        "names": st.lists(st.text(max_size=2), max_size=3) | any_json,
    },
)
branches: st.SearchStrategy[Any] = st.deferred(
    lambda: st.fixed_dictionaries(
        {},
        optional={
            "kind": st.just("branch"),
            "leaves": st.dictionaries(st.text(max_size=2), leaves | st.integers() | any_json),
            "branches": st.lists(branches | leaves | any_json, max_size=3),
        },
    )
)


@given(value=branches)
def test_early_stop_takes_and_refuses_the_same(value: Any) -> None:
    """Only how many errors there are is another thing."""
    schema = TypeAdapter(Branch).core_schema
    text = json.dumps(value)
    whole, early = (
        outcome(SchemaValidator(schema), text),
        outcome(SchemaValidator(stopping_early(schema)), text),
    )
    if isinstance(whole, Branch):
        assert early == whole
    else:
        assert 1 <= early <= whole


def outcome(validator: SchemaValidator, text: str) -> Any:
    """Return what was validated, or how many errors there are."""
    try:
        return validator.validate_json(text)
    except ValidationError as error:
        return error.error_count()


def test_size_up_to_which_all_errors_are_looked_for() -> None:
    """It is smaller where an item can have more errors; without collections there is no bound."""
    sizes = [
        detailed_up_to(TypeAdapter(kind).core_schema)
        for kind in (int, dict[str, int], list[int], list[Leaf], Branch)
    ]
    assert sizes[0] == sizes[1] == float("inf")
    assert sizes[2] > sizes[3] > sizes[4]
