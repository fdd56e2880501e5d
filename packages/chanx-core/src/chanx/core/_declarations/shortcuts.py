"""Which hooks a consumer class leaves as they are."""

from typing import Any, NamedTuple

__all__ = ["Shortcuts"]

_RECEIVE_HOOKS = ("websocket_receive", "receive", "decode_json", "receive_json", "handle_json")
_SEND_HOOKS = ("send_json", "encode_json", "send")


class Shortcuts(NamedTuple):
    """Where a class overrides none of the hooks of a stretch, the message may pass it in one step."""

    connect: bool = False
    receive: bool = False
    dispatch: bool = False
    result: bool = False
    send: bool = False
    groups: bool = False
    group: bool = False
    event: bool = False

    @classmethod
    def of(cls, consumer: type, original: type) -> "Shortcuts":
        """Compare a class's hooks with the original ones."""

        def untouched(*names: str) -> bool:
            return all(_function(consumer, name) is _function(original, name) for name in names)

        return cls(
            connect=untouched("connect"),
            receive=untouched(*_RECEIVE_HOOKS),
            dispatch=untouched("receive_message"),
            result=untouched("handle_result", "send_message", *_SEND_HOOKS),
            send=untouched(*_SEND_HOOKS),
            groups=untouched("get_groups"),
            group=untouched("handle_group_message", "send_message", *_SEND_HOOKS),
            event=untouched("handle_channel_event"),
        )


def _function(cls: type, name: str) -> Any:
    attribute = getattr(cls, name)
    return getattr(attribute, "__func__", attribute)
