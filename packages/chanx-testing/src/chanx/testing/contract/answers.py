"""What comes in answer to one message, held against what its operation declares, frame by frame."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import cast

from chanx.testing.contract.channel import COMPLETE, ERROR, Request
from chanx.testing.contract.verdict import ContractError, Transcript, error_codes
from chanx.type_defs import JSONObject

__all__ = [
    "CANCELLED",
    "NOT_SUBSCRIBED",
    "UNKNOWN_TOPIC",
    "Answer",
    "Confirmation",
    "LooseAnswer",
    "PlainAnswer",
    "Refusal",
    "StreamAnswer",
    "TopicRefusal",
]

CANCELLED = "cancelled"
"""The code of the error that ends what the client has cancelled."""

NOT_SUBSCRIBED, UNKNOWN_TOPIC = "not_subscribed", "unknown_topic"
"""The reasons of errors about topics."""
_UNAVAILABLE = "unavailable"

_NAME = "Give topic=... a name that this client may have."
_DENIED = "Codes of refusals that are right go into denied=..."


class Answer(ABC):
    """The answer to one message; `accepted` are the codes of errors that may be part of it."""

    def __init__(
        self, request: Request, transcript: Transcript, accepted: Collection[str] = ()
    ) -> None:
        self.request = request
        self.frames: list[JSONObject] = []
        self.is_over: bool = False
        """True once its end has come."""
        self.accepted: set[str] = {*accepted}
        self.topic: str | None = None
        """The topic that its frames name, if any."""
        self._transcript = transcript

    def take(self, frame: JSONObject) -> None:
        """Add a frame. Raises ContractError for one that may not come."""
        self.frames.append(frame)
        name = self.request.name_of(frame)
        if self.is_over:
            raise self.after_end()
        self.check(frame, name)
        if name == ERROR and "seq" not in frame:
            self._check_error(frame)

    @property
    def pending(self) -> str:
        """What is missing, for the text of a failure."""
        cancelled = " although it was cancelled" if CANCELLED in self.accepted else ""
        return f"the answer to {self._asked} has not ended{cancelled}"

    @abstractmethod
    def check(self, frame: JSONObject, name: str | None) -> None:
        """Look at a frame that comes before the end."""

    @abstractmethod
    def finish(self) -> None:
        """Look at the whole, once nothing more can come. Raises ContractError."""

    def broken(self, rule: str, cure: str = "") -> ContractError:
        """Make the failure."""
        return self._transcript.broken(rule, cure)

    def after_end(self) -> ContractError:
        """Make the failure for a frame that comes after the end."""
        return self.broken(
            f"A frame came after the end of the answer to {self._asked}",
            "An answer ends once, and nothing carries its `ref` afterwards.",
        )

    def expect_something(self) -> None:
        """Raise ContractError where nothing has come."""
        if not self.frames:
            raise self.broken("Nothing answered a valid message")

    def _check_error(self, frame: JSONObject) -> None:
        codes = error_codes(frame.get("payload"))
        if not codes or not codes <= self.accepted:
            raise self.broken("A valid message was answered by an error", _DENIED)

    @property
    def _asked(self) -> str:
        return repr(self.request.message.name)

    def _undeclared(self) -> ContractError:
        return self.broken(
            f"The answer is none that {self.request.operation} declares: {self.request.names}",
            "Name its type in what the handler returns or yields, or in output_type=...",
        )


class LooseAnswer(Answer):
    """Declared messages in any number, and at most one end."""

    def check(self, frame: JSONObject, name: str | None) -> None:
        """Expect one of the replies."""
        replies = self.request.replies
        if all(reply.problems(frame) for reply in replies):
            names = ", ".join(reply.name for reply in replies)
            raise self.broken(f"The answer is none that {self.request.operation} declares: {names}")
        # Without a reference it may be the end of the answer to something else.
        self.is_over: bool = "ref" in frame and name in (COMPLETE, ERROR)

    def finish(self) -> None:
        """Expect at least one frame."""
        self.expect_something()


class PlainAnswer(Answer):
    """One declared message, or none, and the end."""

    def after_end(self) -> ContractError:
        """Say what is declared, too: more messages than one have another cure than two ends."""
        ends = (COMPLETE, ERROR)
        has_answer = any(self.request.name_of(frame) not in ends for frame in self.frames)
        return self._too_many() if has_answer else super().after_end()

    def check(self, frame: JSONObject, name: str | None) -> None:
        """Expect what is declared, once."""
        if name in (COMPLETE, ERROR):
            self.is_over = True
        elif not self.request.is_declared(frame):
            raise self._undeclared()
        elif "seq" in frame:
            raise self.broken(
                f"A numbered item answers {self._asked}, which does not declare a stream",
                "Annotate the handler with AsyncIterator[...] of what it yields.",
            )
        elif self.request.mode == "none" or len(self.frames) > 1:
            raise self._too_many()
        else:
            self.is_over: bool = not self.request.is_completed

    def _too_many(self) -> ContractError:
        declared = f"{self._asked} declares {self.request.mode} as its answer: {self.request.names}"
        seen = ", ".join(str(self.request.name_of(frame)) for frame in self.frames)
        return self.broken(
            f"{declared}; seen: {seen}",
            "A handler that sends several messages yields them, or returns None and declares them by output_type=...",
        )

    def finish(self) -> None:
        """Expect one frame at least: the answer, or the end."""
        self.expect_something()


class StreamAnswer(Answer):
    """Items of declared types with numbers from 1, within the client's credit, and one end."""

    def __init__(
        self,
        request: Request,
        transcript: Transcript,
        accepted: Collection[str] = (),
        credit: int | None = None,
    ) -> None:
        super().__init__(request, transcript, accepted)
        self.items: int = 0
        self.credit = credit
        """How many items the client can take; None without a limit."""

    @property
    def is_waiting(self) -> bool:
        """True while the server must not send another item."""
        return self.credit == 0 and not self.is_over

    def check(self, frame: JSONObject, name: str | None) -> None:
        """Expect the next item, or the end."""
        if "seq" in frame:
            self._check_item(frame)
        elif name in (COMPLETE, ERROR):
            self.is_over = True
        elif self.request.is_declared(frame):
            raise self.broken(
                f"An item of the stream that answers {self._asked} has no `seq`",
                "Every item carries the `ref` and its number; only the end has no number.",
            )
        else:
            raise self._undeclared()

    def _check_item(self, frame: JSONObject) -> None:
        self.items += 1
        if not self.request.is_declared(frame):
            raise self._undeclared()
        if frame["seq"] != self.items:
            raise self.broken(
                f"Item {self.items} of the stream that answers {self._asked} has `seq` {frame['seq']}",
                "Items are numbered from 1 without gaps, in the order in which they are sent.",
            )
        if self.credit is None:
            return
        if not self.credit:
            raise self.broken(
                f"Item {self.items} came although the client had given credit for {self.items - 1}",
                "Yield items: what send_message() sends in a stream does not wait for credit.",
            )
        self.credit -= 1

    def finish(self) -> None:
        """Expect the end."""
        if not self.is_over:
            raise self.broken(
                f"The stream that answers {self._asked} has no end",
                "A stream ends with one frame without `seq`: `complete`, or an error.",
            )


class Refusal(Answer):
    """One error that says what is wrong, of a code if one is given; and the completion that options ask for."""

    def __init__(self, request: Request, transcript: Transcript, code: str | None = None) -> None:
        super().__init__(request, transcript)
        self._code = code

    def take(self, frame: JSONObject) -> None:
        """Add a frame."""
        self.frames.append(frame)

    def check(self, frame: JSONObject, name: str | None) -> None:
        """Look at all of them at the end."""

    def finish(self) -> None:
        """Expect one error, and nothing else."""
        names = [self.request.name_of(frame) for frame in self.frames]
        if names.count(ERROR) != 1 or not {*names} <= {COMPLETE, ERROR}:
            raise self.broken("An invalid message is answered by one error, and by nothing else")
        codes = error_codes(self.frames[names.index(ERROR)].get("payload"))
        if not codes:
            raise self.broken(
                "The error does not say what is wrong as a list of `type`, `loc`, `msg`"
            )
        if self._code is not None and codes != {self._code}:
            raise self.broken(f"The error has the code {', '.join(codes)} instead of {self._code}")


class Confirmation(PlainAnswer):
    """The one message that confirms a request about a topic."""

    def finish(self) -> None:
        """Expect it."""
        if not self.frames:
            raise self.broken(f"Nothing confirmed {self._asked} for {self.topic!r}")

    def _check_error(self, frame: JSONObject) -> None:
        is_failure = _reason_of(frame) == _UNAVAILABLE
        raise self.broken(
            f"{self._asked} for {self.topic!r} was refused",
            "The server's log has the exception." if is_failure else _NAME,
        )


class TopicRefusal(Refusal):
    """One error that says why a request about a topic is refused."""

    def __init__(self, request: Request, transcript: Transcript, reason: str) -> None:
        super().__init__(request, transcript)
        self._reason = reason

    def finish(self) -> None:
        """Expect one error, with the reason."""
        names = [self.request.name_of(frame) for frame in self.frames]
        is_one = names.count(ERROR) == 1 and {*names} <= {COMPLETE, ERROR}
        if is_one and _reason_of(self.frames[names.index(ERROR)]) == self._reason:
            return
        raise self.broken(
            f"{self._asked} for {self.topic!r} has to be answered by one error with the reason `{self._reason}`",
            _REASONS[self._reason],
        )


def _reason_of(frame: JSONObject) -> object:
    payload = frame.get("payload")
    return cast(JSONObject, payload).get("reason") if isinstance(payload, dict) else None


_REASONS = {
    NOT_SUBSCRIBED: "A topic takes messages from clients that are subscribed to it, and from no others.",
    UNKNOWN_TOPIC: "No pattern of the connection's topics fits the name.",
}
