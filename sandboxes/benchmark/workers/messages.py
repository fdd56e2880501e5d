"""The ten message types that every peer serves."""

from typing import Annotated, Any, Literal, Union, cast

from frames import ACTIONS
from pydantic import BaseModel, Field, TypeAdapter, create_model

__all__ = ["adapter_of", "bulk_type", "message_types", "models_of_classes"]


class Payload(BaseModel):
    """What a chat message may carry."""

    user_name: str
    room_id: int
    message_text: str
    tag_names: list[str]
    is_urgent: bool = False


class Number(BaseModel):
    """One kind of item in bulk."""

    number: int
    unit: str


class Text(BaseModel):
    """Another."""

    text: str
    language: str


def bulk_type(base: type[BaseModel]) -> type[Any]:
    """Make a message type with a list of items of several kinds."""
    fields: Any = {
        "action": (Literal["bulk"], "bulk"),
        "payload": (list[Number | Text | int | list[int]], ...),
    }
    return create_model("Bulk", __base__=base, __module__=__name__, **fields)


def message_types(base: type[BaseModel], payload: type[BaseModel] = Payload) -> list[type[Any]]:
    """Make ten message types on the base class of a peer."""
    return [_message_type(base, action, payload) for action in ACTIONS]


def _message_type(base: type[BaseModel], action: str, payload: type[BaseModel]) -> type[Any]:
    name = action.title().replace("_", "")
    # Any: no type checker knows a Literal that is made from a variable.
    literal: Any = Literal[action]  # pyright: ignore[reportInvalidTypeForm]
    fields: Any = {"action": (literal, action), "payload": (payload, ...)}
    return create_model(name, __base__=base, __module__=__name__, **fields)


def models_of_classes(base: type[BaseModel], count: int) -> list[list[type[Any]]]:
    """Make ten message types with a payload of their own for each of `count` classes."""
    return [
        message_types(base, create_model(f"Payload{number}", __base__=Payload))
        for number in range(count)
    ]


def adapter_of(types: list[type[Any]]) -> TypeAdapter[Any]:
    """Make the union of message types, told apart by `action`."""
    # Type checkers know unions that are written, not ones that are made from a list.
    union, annotated = cast(Any, Union), cast(Any, Annotated)
    return TypeAdapter(annotated[union[tuple(types)], Field(discriminator="action")])
