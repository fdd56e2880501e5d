"""Decoding frames: which of them need a closer look than the compiled validator takes."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from math import inf, nan
from typing import Annotated, Any, Literal, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializeAsAny,
    create_model,
)
from typing_extensions import TypedDict

from chanx.core._wire.error_frames import error_items
from chanx.core.codec import Codec, InvalidFrameError, WireFormat
from chanx.messages.base import BaseMessage


class Loose(BaseModel):
    """A model that keeps whatever it is given."""

    model_config = ConfigDict(extra="allow")


class Tree(BaseModel):
    """A model that contains itself."""

    weight: int = 0
    branches: "list[Tree]" = Field(default_factory=list["Tree"])


class Measured(BaseModel):
    """A model with a number."""

    value: float


def codec_of(payload: Any, wire: WireFormat = WireFormat()) -> Codec:  # noqa: B008 - cannot change
    """Return the codec of a class with one message, of this payload."""
    fields: Any = {"action": (Literal["only"], "only"), "payload": (payload, ...)}
    message_type = create_model("Only", __base__=BaseMessage, __module__=__name__, **fields)
    return Codec((message_type,), (), wire, max_depth=64)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (float, "1e999"),
        (float, "-1E+400"),
        (float, f"1{310 * '0'}"),
        (Any, "1e999"),
        (dict[str, Any], '{"a": [1e999]}'),
        (dict, '{"a": 1e999}'),
        (list, "[1e999]"),
        (list[float | str], "[0, 1e999]"),
        (Loose, '{"a": 1e999}'),
        (Annotated[str, BeforeValidator(str)], "1e999"),
        (datetime, "1e999"),
    ],
    ids=str,
)
def test_no_number_becomes_infinity(payload: Any, text: str) -> None:
    """A number beyond a float's range is refused wherever a handler could come to see infinity."""
    with pytest.raises(InvalidFrameError) as caught:
        codec_of(payload).decode(f'{{"action": "only", "payload": {text}}}')
    assert caught.value.error.errors()[0]["type"] == "json_invalid"


@pytest.mark.parametrize("wire", [WireFormat(), WireFormat(camelize=True)], ids=["plain", "camel"])
@pytest.mark.parametrize("word", ["nan", "NaN", "-inf", "Infinity", "1e999", "9" * 400], ids=str)
@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (float, '"%s"'),
        (list[float], '["%s"]'),
        (float | None, '"%s"'),
        (Measured, '{"value": "%s"}'),
        (dict[str, Measured], '{"a": {"value": "%s"}}'),
    ],
    ids=str,
)
def test_no_text_becomes_infinity(payload: Any, text: str, word: str, wire: WireFormat) -> None:
    """pydantic reads numbers from strings, and some of these are no numbers of JSON. A timer that gets one is stuck."""
    with pytest.raises(InvalidFrameError) as caught:
        codec_of(payload, wire).decode(f'{{"action": "only", "payload": {text % word}}}')
    assert caught.value.error.errors()[0]["type"] == "finite_number"


def test_text_that_spells_no_number_stays_text() -> None:
    """Where a string may be meant, it is one; and numbers of strings go on being read."""
    message, _ = codec_of(float | str).decode('{"action": "only", "payload": "nan"}')
    assert message.payload == "nan"
    message, _ = codec_of(float).decode('{"action": "only", "payload": "1.5"}')
    assert message.payload == 1.5


@pytest.mark.parametrize("payload", [int, str, bool, list[int], Tree, dict[str, Tree]], ids=repr)
@pytest.mark.parametrize("number", ["1e999", f"1{310 * '0'}"], ids=["exponent", "digits"])
def test_huge_numbers_where_no_float_is(payload: Any, number: str) -> None:
    """Where nothing takes a float, the same comes out with and without an envelope, which is parsed in Python."""
    codec = codec_of(payload)
    frame = f'{{"action": "only", "payload": {number}, "unknown": 1e999'
    assert outcome(codec, frame + "}") == outcome(codec, frame + ', "ref": "r"}')


def test_huge_integer_arrives() -> None:
    """An integer has no bound."""
    message, _ = codec_of(int).decode(f'{{"action": "only", "payload": {"9" * 400}}}')
    assert message.payload == int("9" * 400)


def outcome(codec: Codec, frame: str) -> Any:
    """Return the payload that comes out, or the errors."""
    try:
        return codec.decode(frame)[0].payload
    except InvalidFrameError as invalid:
        return invalid.error.errors(include_url=False, include_input=False)


class Constants(BaseModel):
    """A model that asks pydantic for the constants of JavaScript."""

    model_config = ConfigDict(ser_json_inf_nan="constants")

    value: float = inf
    anything: Any = nan


class Holder(BaseModel):
    """A model that says nothing about constants and holds one that does."""

    inner: Constants = Constants()


@dataclass
class Point:
    """A dataclass with a number."""

    x: float


class Keyed(TypedDict):
    """A dictionary with a number."""

    x: float


class Level(Enum):
    """An enumeration with a number."""

    TOP = inf


class Extended(Measured):
    """A model of which a field knows only the base class."""

    model_config = ConfigDict(ser_json_inf_nan="constants")

    more: float = nan


WIRES = [WireFormat(), WireFormat(camelize=True), WireFormat(discriminator_field="kind")]


def finite(text: str) -> Any:
    """Parse JSON as other languages do: NaN and the infinities are no JSON."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("wire", WIRES, ids=["plain", "camel", "kind"])
@pytest.mark.parametrize(
    ("payload", "value", "written"),
    [
        (float, inf, None),
        (float | None, nan, None),
        (list[float], [1.5, -inf], [1.5, None]),
        (dict[str, float], {"a": nan}, {"a": None}),
        (Any, {"a": [nan, "NaN", '"', "-Infinity"]}, {"a": [None, "NaN", '"', "-Infinity"]}),
        (dict, {"a": (nan, 1)}, {"a": [None, 1]}),
        (Measured, Measured(value=inf), {"value": None}),
        (Constants, Constants(), {"value": None, "anything": None}),
        (Holder, Holder(), {"inner": {"value": None, "anything": None}}),
        (Any, Holder(), {"inner": {"value": None, "anything": None}}),
        (list[Constants], [Constants(value=1)], [{"value": 1, "anything": None}]),
        (Measured, Extended(value=inf), {"value": None}),
        (SerializeAsAny[Measured], Extended(value=inf), {"value": None, "more": None}),
        (Loose, Loose.model_validate({"a": Constants()}), {"a": {"value": None, "anything": None}}),
        (Point, Point(inf), {"x": None}),
        (Keyed, {"x": inf}, {"x": None}),
        (Level, Level.TOP, None),
        (Annotated[str, PlainSerializer(lambda value: nan)], "x", None),
        (
            Annotated[str, PlainSerializer(lambda value: Constants(value=2))],
            "x",
            {"value": 2, "anything": None},
        ),
    ],
    ids=repr,
)
def test_what_is_no_number_is_written_as_null(
    payload: Any, value: Any, written: Any, wire: WireFormat
) -> None:
    """Wherever a float is, and whatever a model's config says, the text is JSON."""
    codec = codec_of(payload, wire)
    (message_type,) = codec.incoming
    message = message_type.model_validate({"payload": value})
    assert finite(codec.encode(message))["payload"] == written


@pytest.mark.parametrize("wire", WIRES, ids=["plain", "camel", "kind"])
def test_dictionaries_are_json_too(wire: WireFormat) -> None:
    """A message that is a dictionary, of a known class or of none, with keys of its own."""
    codec = codec_of(dict[str, float], wire)
    codec.outgoing = codec.incoming
    for action in ("only", "other"):
        content = {"action": action, "payload": {"a": nan}, "is_current": -inf, "m": Constants()}
        written = finite(codec.encode_object(content))
        assert written == {
            wire.discriminator_field: action,
            "payload": {"a": None},
            "is_current": None,
            "m": {"value": None, "anything": None},
        }


CAMEL = WireFormat(camelize=True)


def errors_of(codec: Codec, frame: str) -> list[Any]:
    """Return the items of the error frame that answers a frame."""
    with pytest.raises(InvalidFrameError) as caught:
        codec.decode(frame)
    return error_items(caught.value.error, actions=codec.actions, names=codec.names)


class Aliased(BaseModel):
    """A model whose fields have other names for clients."""

    by_path: int = Field(default=0, validation_alias=AliasPath("outer_part", "inner_part"))  # type: ignore[pydantic-alias] # tested
    by_choice: int = Field(default=0, validation_alias=AliasChoices("first_name", "second_name"))  # type: ignore[pydantic-alias] # tested


@dataclass
class Wide:
    """A dataclass of two words."""

    left_side: int


def test_names_of_aliases_and_dataclasses_are_places() -> None:
    """The server chose them, so an error may say them: no other key of the client is repeated."""
    frame = '{"action": "only", "payload": {"first_name": "x", "<b>": 1}}'
    assert errors_of(codec_of(Aliased), frame)[0]["loc"] == ["only", "payload", "first_name"]
    frame = '{"action": "only", "payload": {"outer_part": {"inner_part": "x"}}}'
    assert errors_of(codec_of(Aliased), frame)[0]["loc"] == [
        *("only", "payload", "outer_part", "inner_part")
    ]
    frame = '{"action": "only", "payload": {"leftSide": "x"}}'
    assert errors_of(codec_of(Wide, CAMEL), frame)[0]["loc"][:2] == ["only", "payload"]


@pytest.mark.parametrize("payload", [Wide, Tree, Keyed], ids=repr)
def test_collisions_are_looked_for_in_objects_only(payload: Any) -> None:
    """Anything else is refused for what it is."""
    (item,) = errors_of(codec_of(payload, CAMEL), '{"action": "only", "payload": 5}')
    assert item["loc"][:2] == ["only", "payload"]
    assert item["type"] != "key_collision"


class Closed(BaseModel):
    """A model that refuses what it does not know, with names that are long."""

    model_config = ConfigDict(extra="forbid")


def test_hundreds_of_errors_are_counted() -> None:
    """Describing each would cost more than the message."""
    keys = ",".join(f'"k{number}":1' for number in range(501))
    items = errors_of(codec_of(Closed), f'{{"action": "only", "payload": {{{keys}}}}}')
    assert items == [{"type": "too_many_errors", "loc": [], "msg": "501 errors"}]


def test_long_places_leave_room_for_fewer_errors() -> None:
    """The frame stays under 4 KiB, and counts what is left out."""
    names = [letter * 900 for letter in "abcdef"]
    fields: Any = dict.fromkeys(names, (int, ...))
    codec = codec_of(create_model("Long", __module__=__name__, **fields))
    *shown, last = errors_of(codec, '{"action": "only", "payload": {}}')
    assert [item["loc"][-1] for item in shown] == names[: len(shown)]
    assert last["msg"] == f"{6 - len(shown)} more errors"
    assert len(json.dumps([*shown, last])) < 4096


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


def test_unknown_kind_within_a_message_is_not_repeated() -> None:
    """Pydantic's text quotes what the client sent."""
    codec = codec_of(Annotated[Cat | Dog, Field(discriminator="kind")])
    (item,) = errors_of(codec, '{"action": "only", "payload": {"kind": "<b>"}}')
    assert item == {
        "type": "union_tag_invalid",
        "loc": ["only", "payload"],
        "msg": "Input does not match any of the expected kinds",
    }


@given(value=st.dictionaries(st.text(max_size=2), st.none() | st.just({"weight": "x"}), min_size=1))
def test_nullable_values_of_a_large_dictionary(value: dict[str, Any]) -> None:
    """They are checked up to the first invalid one, like any other."""
    codec = codec_of(dict[str, Tree | None])
    frame = json.dumps({"action": "only", "payload": value, "padding": " " * 2000})
    if any(value.values()):
        (item,) = errors_of(codec, frame)
        assert item["loc"][:2] == ["only", "payload"]
    else:
        assert codec.decode(frame)[0].payload == value


def open_values(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Put values into what may hold them."""
    texts = st.text(max_size=3) | st.sampled_from(["NaN", '"Infinity"', "\\"])
    return (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts, inner, max_size=3)
        | inner.map(lambda value: Constants(anything=value))
        | st.tuples(st.floats(), inner).map(lambda pair: Constants(value=pair[0], anything=pair[1]))
    )


Value: TypeAlias = "float | str | list[Value] | dict[str, Value] | Constants | None"
VALUES = st.recursive(st.floats() | st.text(max_size=5) | st.integers(), open_values, max_leaves=8)


def without(value: Value) -> Any:
    """Return what JSON should say of a value: null for a float that is no number."""
    match value:
        case float():
            return value if abs(value) < inf else None
        case list():
            return [without(item) for item in value]
        case dict():
            return {key: without(item) for key, item in value.items()}
        case Constants():
            return {"value": without(value.value), "anything": without(value.anything)}
        case _:
            return value


@given(value=VALUES, wire=st.sampled_from(WIRES))
def test_any_value_is_json(value: Any, wire: WireFormat) -> None:
    """Nothing else of the message is changed: not the texts that spell a constant, either."""
    codec = codec_of(Any, wire)
    (message_type,) = codec.incoming
    frame = codec.encode(message_type.model_validate({"payload": value}))
    assert finite(frame)["payload"] == without(value)
    frame = codec.encode_object({"action": "only", "payload": value})
    assert finite(frame)["payload"] == without(value)
