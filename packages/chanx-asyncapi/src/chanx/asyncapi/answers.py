"""How a message is answered: what the extension `x-answers` of a reply says."""

from typing import Literal

from chanx.core.handlers import HandlerSpec
from chanx.messages.base import BaseMessage, message_actions
from chanx.type_defs import JSONObject

__all__ = ["ANSWERS", "answers", "confirmation"]

ANSWERS = "x-answers"
"""The key inside `reply`."""

Mode = Literal["stream", "one", "none", "many"]

_ENDS = ("complete", "error")
_WINDOW = 32
"""The default for clients: twice the items that the server sends ahead by default."""
_NOTHING = (None, "None")


def answers(handler: HandlerSpec) -> JSONObject:
    """Describe the answer to a message, for clients that wait for its end.

    `messages` and `ends` are actions. In mode `one` the answer is an end too. `window` is the credit that clients of a
    stream are advised to start with, and `cancellable` says that a client may cancel.
    """
    described: JSONObject = {
        "mode": _mode(handler),
        "messages": _actions(handler),
        "ends": [*_ENDS],
    }
    if handler.is_stream:
        described["window"] = _WINDOW
    if handler.can_be_cancelled:
        described["cancellable"] = True
    return described


def confirmation(message_type: type[BaseMessage]) -> JSONObject:
    """Describe the answer to a request about a topic: one message, or an error."""
    return {"mode": "one", "messages": [*message_actions(message_type)], "ends": ["error"]}


def _mode(handler: HandlerSpec) -> Mode:
    if handler.is_stream:
        return "stream"
    if not handler.output_types:
        return "none"
    return "one" if _returns_its_answer(handler) else "many"


def _returns_its_answer(handler: HandlerSpec) -> bool:
    """Tell a handler that returns its answer from one that declares by `output_type=` what it sends."""
    try:
        return handler.function.__annotations__.get("return") not in _NOTHING
    except NameError:
        # Python 3.14 evaluates all annotations here, and one may name what type checkers alone import.
        return False


def _actions(handler: HandlerSpec) -> list[str]:
    return [action for output in handler.output_types for action in message_actions(output)]
