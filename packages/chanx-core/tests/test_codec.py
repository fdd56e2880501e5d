"""Decoding frames: which of them need a closer look than the compiled validator takes."""

from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

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
