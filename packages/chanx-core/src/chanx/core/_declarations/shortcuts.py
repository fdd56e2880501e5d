"""Which hooks a class leaves as they are."""

from typing import NamedTuple

from chanx.core._user_classes import is_of_library

__all__ = ["RECEIVE_HOOKS", "Shortcuts"]

RECEIVE_HOOKS = ("websocket_receive", "receive", "decode_json", "receive_json", "handle_json")
"""The hooks that a frame passes before its handler is called, in their order."""
_SEND_HOOKS = ("send_json", "encode_json", "send")


class Shortcuts(NamedTuple):
    """Where a class overrides none of the hooks of a stretch, the message may pass it in one step.

    `receive` is the first overridden hook of `RECEIVE_HOOKS`; None where all are the library's.
    """

    connect: bool
    receive: str | None
    handle_json: bool
    dispatch: bool
    result: bool
    send: bool
    groups: bool
    group: bool
    event: bool

    @classmethod
    def of(cls, owner: type) -> "Shortcuts":
        """Find the hooks that a user's class overrides."""

        def untouched(*names: str) -> bool:
            return not any(is_overridden(owner, name) for name in names)

        overridden = (name for name in RECEIVE_HOOKS if is_overridden(owner, name))
        return cls(
            connect=untouched("connect"),
            receive=next(overridden, None),
            handle_json=untouched("handle_json"),
            dispatch=untouched("receive_message"),
            result=untouched("handle_result", "send_message", *_SEND_HOOKS),
            send=untouched(*_SEND_HOOKS),
            groups=untouched("get_groups"),
            group=untouched("handle_group_message", "send_message", *_SEND_HOOKS),
            event=untouched("handle_channel_event"),
        )


def is_overridden(owner: type, name: str) -> bool:
    """Tell whether a class of the user's has a method of this name, before the library's."""
    holder = next((base for base in owner.__mro__ if name in vars(base)), None)
    return holder is not None and not is_of_library(holder)
