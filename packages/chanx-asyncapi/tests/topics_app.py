"""An application with topics, with its documentation page: what the browser tests of topics talk to."""

from collections.abc import AsyncIterator
from typing import Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from chanx.core.decorators import channel, event_handler, ws_handler
from chanx.core.exceptions import MessageError
from chanx.core.topic import Topic
from chanx.fast_channels.views import asyncapi_docs
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage

__all__ = ["PageQuestionTopic", "make_app"]


class ReplyMessage(BaseMessage):
    action: Literal["reply"] = "reply"
    payload: str


class SavedMessage(BaseMessage):
    action: Literal["saved"] = "saved"
    payload: int


class NewReplyMessage(BaseMessage):
    action: Literal["new_reply"] = "new_reply"
    payload: str


class ReadMessage(BaseMessage):
    action: Literal["read"] = "read"
    payload: None = None


class CloseMessage(BaseMessage):
    action: Literal["close"] = "close"
    payload: None = None


class ConfirmMessage(BaseMessage):
    action: Literal["confirm"] = "confirm"
    payload: str


class ConfirmedMessage(BaseMessage):
    action: Literal["confirmed"] = "confirmed"
    payload: bool


class PageQuestionTopic(Topic[NewReplyMessage]):
    """A question and its replies."""

    pattern = "question:{section}:{pk}"
    requests = {ConfirmMessage: ConfirmedMessage}  # noqa: RUF012 - the documented way to write it

    async def authorize(self, section: Literal["open", "closed"], pk: int) -> bool:
        return section == "open"

    @ws_handler(summary="Reply to the question")
    async def handle_reply(self, message: ReplyMessage) -> SavedMessage:
        await self.broadcast(NewReplyMessage(payload=message.payload))
        return SavedMessage(payload=self.params["pk"])

    @ws_handler(summary="Read the replies")
    async def handle_read(self, message: ReadMessage) -> AsyncIterator[NewReplyMessage]:
        for number in range(40):
            yield NewReplyMessage(payload=str(number))

    @ws_handler(summary="Close the question, once the client confirms")
    async def handle_close(self, message: CloseMessage) -> SavedMessage:
        answer = await self.request(ConfirmMessage(payload="Close it?"), ConfirmedMessage)
        if not answer.payload:
            raise MessageError("declined", "You declined")
        return SavedMessage(payload=0)

    @event_handler
    async def handle_new_reply(self, event: NewReplyMessage) -> NewReplyMessage:
        return event


class PageNewsTopic(Topic[NewReplyMessage]):
    """What is new, without parameters."""

    pattern = "news"

    @event_handler
    async def handle_new_reply(self, event: NewReplyMessage) -> NewReplyMessage:
        return event


class PageDefaultTopic(PageQuestionTopic):
    """A question whose clients need not name it."""

    pattern = "default:{section}:{pk}"


@channel(name="hub")
class HubConsumer(AsyncJsonWebsocketConsumer):
    """One socket for all."""

    topics = (PageQuestionTopic, PageNewsTopic)

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


def make_app() -> Starlette:
    """Make the application."""

    async def docs(request: Request) -> Response:
        return await asyncapi_docs(request, request.app)

    return Starlette(
        routes=[
            Route("/asyncapi", docs),
            WebSocketRoute("/ws/hub", HubConsumer.as_asgi()),
            WebSocketRoute("/ws/{section}/{pk}", PageDefaultTopic.as_consumer().as_asgi()),
        ]
    )
