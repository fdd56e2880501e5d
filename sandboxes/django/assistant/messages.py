"""What is said on the WebSocket of the assistant."""

from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

from assistant.models import MAX_QUESTION_LENGTH
from chanx.messages.base import BaseMessage

__all__ = [
    "AnswerDone",
    "AnswerDonePayload",
    "AnswerPiece",
    "AnswerPiecePayload",
    "Ask",
    "AskPayload",
    "Stop",
]

Question = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION_LENGTH)
]


class AskPayload(BaseModel):
    """The question."""

    question: Question


class Ask(BaseMessage):
    """Somebody asks something."""

    action: Literal["ask"] = "ask"
    payload: AskPayload


class Stop(BaseMessage):
    """The rest of the answer is not wanted."""

    action: Literal["stop"] = "stop"
    payload: None = None


class AnswerPiecePayload(BaseModel):
    """Which exchange it belongs to, and the next words."""

    exchange_id: int
    text: str


class AnswerPiece(BaseMessage):
    """A piece of an answer."""

    action: Literal["answer_piece"] = "answer_piece"
    payload: AnswerPiecePayload


class AnswerDonePayload(BaseModel):
    """How the answer ended."""

    exchange_id: int
    was_stopped: bool


class AnswerDone(BaseMessage):
    """The answer is complete, or was stopped."""

    action: Literal["answer_done"] = "answer_done"
    payload: AnswerDonePayload
