"""How messages are answered: what the extension `x-answers` of their replies says, before and after."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from chanx.asyncapi.answers import ANSWERS
from chanx.asyncapi.diff._change import Change
from chanx.asyncapi.shapes import is_list, is_object
from chanx.asyncapi.validation._problem import pointer
from chanx.asyncapi.validation._references import resolved
from chanx.type_defs import JSONObject

__all__ = ["Answer", "compare_answers"]

_STREAM = "stream"
_MODES = {
    _STREAM: "by a stream",
    "one": "by one message",
    "none": "by its end alone",
    "many": "by any number of messages",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a message, as the reply of an operation has it; a reply without the extension says nothing."""

    operation: str
    mode: str | None
    messages: tuple[str, ...]
    is_cancellable: bool

    @classmethod
    def of(cls, document: JSONObject, key: str, operation: JSONObject) -> Self:
        """Read it; what is not as this library writes it counts as nothing."""
        found: Any = resolved(document, operation.get("reply")).get(ANSWERS)
        said: JSONObject = found if is_object(found) else {}
        mode, messages = said.get("mode"), said.get("messages")
        return cls(
            operation=key,
            mode=mode if isinstance(mode, str) and mode in _MODES else None,
            messages=tuple(map(str, messages)) if is_list(messages) else (),
            is_cancellable=said.get("cancellable") is True,
        )

    @property
    def is_stream(self) -> bool:
        """Whether items come until an end."""
        return self.mode == _STREAM


def compare_answers(before: dict[str, Answer], after: dict[str, Answer]) -> Iterator[Change]:
    """Yield what changed in the answers to messages that both documents have; the keys are actions."""
    for action, old in before.items():
        if action in after:
            yield from _answer(action, old, after[action])


def _answer(action: str, old: Answer, new: Answer) -> Iterator[Change]:
    place = ("operations", new.operation, "reply", ANSWERS)
    yield from _mode(action, old, new, pointer(*place, "mode"))
    if old.is_stream and new.is_stream:
        for item in new.messages:
            if item not in old.messages:
                message = f"The stream that answers {action!r} has the new item {item!r}, which clients do not know."
                where = pointer(*place, "messages")
                yield Change(where, "stream-item-added", "to-client", True, message)
    if old.is_cancellable and new.mode and not new.is_cancellable:
        message = f"Clients can no longer cancel the answer to {action!r}."
        yield Change(pointer(*place), "cancel-removed", "to-server", True, message)


def _mode(action: str, old: Answer, new: Answer, place: str) -> Iterator[Change]:
    """A stream is read in another way than any other answer, also where a document did not say how it answered."""
    if old.mode == new.mode:
        return
    if new.is_stream or old.is_stream:
        became = _MODES.get(new.mode or "", "without a stream")
        message = f"The message {action!r} is now answered {became}."
        rule = "answer-now-stream" if new.is_stream else "answer-no-stream"
        yield Change(place, rule, "to-client", True, message)
    elif old.mode and new.mode:
        # Clients that read any number of messages read one too; all others wait for what no longer comes.
        breaking = (old.mode, new.mode) != ("many", "one")
        message = (
            f"The message {action!r} was answered {_MODES[old.mode]} and is {_MODES[new.mode]}."
        )
        yield Change(place, "answer-mode", "to-client", breaking, message)
