"""What is said on the WebSocket of the assistant."""

from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

from assistant.models import MAX_QUESTION_LENGTH
from chanx.messages.base import BaseMessage

__all__ = [
    "AnswerPiece",
    "AnswerPiecePayload",
    "Ask",
    "AskPayload",
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


class AnswerPiecePayload(BaseModel):
    """The next words."""

    text: str


class AnswerPiece(BaseMessage):
    """A piece of an answer."""

    action: Literal["answer_piece"] = "answer_piece"
    payload: AnswerPiecePayload
