"""What a server did with one message, held against the document."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, cast

from pydantic_core import from_json, to_json

from chanx.testing.contract.document import Channel, Request
from chanx.testing.contract.mutations import CANARY
from chanx.testing.frames import listed
from chanx.type_defs import ASGIEvent, JSONObject

__all__ = ["ContractError", "Exchange", "judge_invalid", "judge_valid"]

_ERROR = "error"
_MOST_TEXT = 500


class ContractError(AssertionError):
    """A server did what its document does not say, or did not do what it says."""


@dataclass(frozen=True)
class Exchange:
    """A message that was sent, and every event that came while it was handled."""

    sent: JSONObject
    events: tuple[ASGIEvent, ...]

    @property
    def texts(self) -> list[str]:
        """The frames."""
        return [event["text"] for event in self.events if isinstance(event.get("text"), str)]

    @property
    def frames(self) -> list[Any]:
        """The frames, parsed. Raises ContractError for what is not JSON."""
        try:
            return [from_json(text, allow_inf_nan=False) for text in self.texts]
        except ValueError as error:
            raise self.broken(f"A frame is not JSON ({error})") from None

    @property
    def is_closed(self) -> bool:
        """True when the server closed the connection."""
        return any(event["type"] == "websocket.close" for event in self.events)

    def answers(self) -> list[JSONObject]:
        """Return the frames that carry the reference of the message; all of them where it had none."""
        ref = self.sent.get("ref")
        return [
            frame
            for frame in self.frames
            if ref is None
            or (isinstance(frame, dict) and cast(JSONObject, frame).get("ref") == ref)
        ]

    def broken(self, rule: str) -> ContractError:
        """Make the failure: the rule, what was sent, what came."""
        sent = to_json(self.sent).decode()
        shown = sent if len(sent) <= _MOST_TEXT else f"{sent[:_MOST_TEXT]}…"
        return ContractError(f"{rule}.\nsent: {shown}\ncame: {listed(self.events)}")


def judge_valid(
    channel: Channel, request: Request, exchange: Exchange, denied: Collection[str], may_close: bool
) -> None:
    """Expect declared answers to a valid message. Raises ContractError."""
    _judge_frames(channel, exchange)
    if exchange.is_closed and not may_close:
        raise exchange.broken("The connection was closed on a valid message")
    answers = exchange.answers()
    if not answers and not may_close:
        raise exchange.broken("Nothing answered a valid message")
    for answer in answers:
        if _is_error(request, answer):
            _judge_error(exchange, answer, denied)
        elif all(reply.problems(answer) for reply in request.replies):
            names = ", ".join(reply.name for reply in request.replies)
            raise exchange.broken(f"The answer is none that {request.operation} declares: {names}")


def judge_invalid(channel: Channel, request: Request, exchange: Exchange) -> None:
    """Expect one error and an open connection. Raises ContractError."""
    _judge_frames(channel, exchange)
    if any(CANARY in text for text in exchange.texts):
        raise exchange.broken("What the client sent came back to it")
    if exchange.is_closed:
        raise exchange.broken("The connection was closed on an invalid message")
    answers = exchange.answers()
    errors = [answer for answer in answers if _is_error(request, answer)]
    if len(errors) != 1 or any(
        _reply_name(request, item) not in ("complete", _ERROR) for item in answers
    ):
        raise exchange.broken("An invalid message is answered by one error, and by nothing else")
    if not _is_list_of_errors(errors[0].get("payload")):
        raise exchange.broken(
            "The error does not say what is wrong as a list of `type`, `loc`, `msg`"
        )


def _judge_frames(channel: Channel, exchange: Exchange) -> None:
    for frame in exchange.frames:
        problems = channel.problems(frame)
        if problems:
            raise exchange.broken(f"A frame is not what the document says: {'; '.join(problems)}")


def _judge_error(exchange: Exchange, answer: JSONObject, denied: Collection[str]) -> None:
    codes = _codes(answer.get("payload"))
    if not codes or not codes <= set(denied):
        raise exchange.broken(
            "A valid message was answered by an error (codes of refusals that are right go into denied=...)"
        )


def _codes(payload: Any) -> set[str]:
    return {str(item["type"]) for item in payload} if _is_list_of_errors(payload) else set()


def _is_list_of_errors(payload: Any) -> bool:
    if not isinstance(payload, list) or not payload:
        return False
    items = cast(Iterable[Any], payload)
    return all(isinstance(item, dict) and {"type", "loc", "msg"} <= item.keys() for item in items)


def _is_error(request: Request, answer: JSONObject) -> bool:
    return _reply_name(request, answer) == _ERROR


def _reply_name(request: Request, answer: JSONObject) -> str | None:
    meant = (reply.name for reply in request.replies if reply.is_meant(answer))
    return next(meant, None)
