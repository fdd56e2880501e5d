"""Declaring messages."""

from abc import ABC
from typing import Generic, Literal, TypeVar

import pytest

from chanx.messages.base import BaseMessage, message_actions
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage

T = TypeVar("T")


class Envelope(BaseMessage, Generic[T]):
    """A generic message."""

    action: Literal["envelope"] = "envelope"
    payload: T


def test_message_without_action_is_refused() -> None:
    """A concrete message declares its own action, even below one that has it."""
    with pytest.raises(TypeError, match="Class 'Nameless' must define an 'action' field"):

        class Nameless(BaseMessage):  # pyright: ignore[reportUnusedClass]
            payload: int

    with pytest.raises(TypeError, match="Class 'Again' must define an 'action' field"):

        class Again(PingMessage):  # pyright: ignore[reportUnusedClass]
            pass


def test_action_must_be_a_literal() -> None:
    """The error shows what to write."""
    with pytest.raises(
        TypeError, match=r"requires the field 'action' to be a `Literal` type.*Literal\[\"loose\"\]"
    ):

        class Loose(BaseMessage):  # pyright: ignore[reportUnusedClass]
            action: str = "loose"


def test_abstract_helper_needs_no_action() -> None:
    """A class that lists ABC among its bases is only a base for others."""

    class Numbered(BaseMessage, ABC):
        number: int = 0

    class Chapter(Numbered):
        action: Literal["chapter", "part"] = "chapter"
        payload: str

    assert message_actions(Chapter) == ("chapter", "part")
    assert Chapter(payload="x").model_dump() == {"action": "chapter", "payload": "x", "number": 0}


def test_action_without_default_is_a_message() -> None:
    """Only handlers need the default."""

    class Explicit(BaseMessage):
        action: Literal["x"]
        payload: None

    assert Explicit(action="x", payload=None).action == "x"


def test_generic_message_keeps_its_action() -> None:
    """A parametrized message is one too."""
    assert message_actions(Envelope[int]) == ("envelope",)
    assert Envelope[int](payload=3).payload == 3


def test_null_payload_is_written() -> None:
    """Built-in messages keep the documented shape."""
    assert PingMessage().model_dump(mode="json") == {"action": "ping", "payload": None}
    assert PongMessage().model_dump(mode="json") == {"action": "pong", "payload": None}
