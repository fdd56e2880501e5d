"""The base class of every message."""

from abc import ABC
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import Format, get_annotations

__all__ = ["BaseMessage"]


class BaseMessage(BaseModel, ABC):
    """A message of the wire: `action` names its kind, `payload` carries its data.

    A subclass declares `action` as a Literal, usually with the same string as its default, and narrows `payload`.
    List `abc.ABC` among the bases of a subclass that is only a base for others.

    Raises TypeError at class creation when a concrete subclass does not declare such an `action`.
    """

    # Any: subclasses narrow both.
    action: Any
    payload: Any

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Check the declaration once pydantic has collected the fields."""
        super().__pydantic_init_subclass__(**kwargs)
        if ABC in cls.__bases__ or cls.__pydantic_generic_metadata__["origin"] is not None:
            return
        if "action" not in get_annotations(cls, format=Format.FORWARDREF):
            raise TypeError(f"Class '{cls.__name__}' must define an 'action' field")
        if get_origin(cls.model_fields["action"].annotation) is not Literal:
            raise TypeError(
                f"Class '{cls.__name__}' requires the field 'action' to be a `Literal` type, "
                f'for example: action: Literal["{cls.__name__.lower()}"] = "{cls.__name__.lower()}"'
            )


def message_actions(message_type: type[BaseMessage]) -> tuple[str, ...]:
    """Return every action value that a concrete message type declares, in order of declaration."""
    return get_args(message_type.model_fields["action"].annotation)
