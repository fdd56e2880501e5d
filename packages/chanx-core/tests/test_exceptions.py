"""Application errors as exceptions."""

import pickle
from enum import StrEnum

import pytest

from chanx.core import guards
from chanx.core.exceptions import DeniedError, MessageError


class Code(StrEnum):
    SOLD_OUT = "sold_out"


class Translated(str):
    """Stands for a text that is translated when it is written."""

    def __str__(self) -> str:
        return "Ausverkauft"


@pytest.mark.parametrize("key", ["type", "loc", "msg"])
@pytest.mark.parametrize("kind", [MessageError, DeniedError])
def test_extras_cannot_replace_what_every_item_has(kind: type[MessageError], key: str) -> None:
    with pytest.raises(TypeError, match=rf"{kind.__name__} 'sold_out' has the extra {key}"):
        kind("sold_out", "No seats left", **{key: "x"})


@pytest.mark.parametrize("kind", [MessageError, DeniedError])
def test_errors_survive_the_way_between_processes(kind: type[MessageError]) -> None:
    """As a pool of worker processes sends them."""
    error = pickle.loads(pickle.dumps(kind("sold_out", "No seats left", seats=0)))

    assert type(error) is kind
    assert str(error) == "sold_out: No seats left"
    assert error.item == {"type": "sold_out", "loc": [], "msg": "No seats left", "seats": 0}


def test_code_and_detail_may_be_more_than_plain_text() -> None:
    item = MessageError(Code.SOLD_OUT, Translated("Sold out")).item

    assert item == {"type": "sold_out", "loc": [], "msg": "Ausverkauft"}


def test_the_error_of_guards_is_an_application_error() -> None:
    assert guards.DeniedError is DeniedError
    assert issubclass(DeniedError, MessageError)
