"""What is said in the newsroom, whichever framework serves the socket."""

from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

from chanx.messages.base import BaseMessage

__all__ = [
    "NEWSROOM",
    "Headline",
    "HeadlinePayload",
    "News",
    "NewsPayload",
    "Report",
    "ReportPayload",
    "Side",
]

NEWSROOM = "newsroom"
Side = Literal["django", "fastapi"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class ReportPayload(BaseModel):
    """The text."""

    news_text: Text


class Report(BaseMessage):
    """A reporter has news."""

    action: Literal["report"] = "report"
    payload: ReportPayload


class NewsPayload(BaseModel):
    """The text, who it is from, and on which side that is."""

    news_text: str
    reporter_name: str
    sent_from: Side


class News(BaseMessage):
    """There is news: a message to everybody in the newsroom."""

    action: Literal["news"] = "news"
    payload: NewsPayload


class HeadlinePayload(BaseModel):
    """The text, and on which side it came in."""

    headline_text: str
    sent_from: Side


class Headline(BaseMessage):
    """A headline came in over HTTP: an event for the consumers of both sides."""

    action: Literal["headline"] = "headline"
    payload: HeadlinePayload
