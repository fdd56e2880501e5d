"""An application that streams and asks, with its documentation page: what the browser tests of streams talk to."""

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar, Literal

from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from chanx.core.decorators import channel, ws_handler
from chanx.core.exceptions import MessageError
from chanx.fast_channels.views import asyncapi_docs
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage

__all__ = ["HEAP_PAGE", "HEAP_SCRIPT", "Progress", "make_app"]


class Count(BaseModel):
    items: int = 100
    hold_after: int | None = None
    """Wait for `release` after so many items."""
    fail: bool = False
    size: int = 0
    """Characters of each item."""


class CountMessage(BaseMessage):
    action: Literal["count"] = "count"
    payload: Count = Count()


class Item(BaseModel):
    number: int
    text: str = ""


class ItemMessage(BaseMessage):
    action: Literal["item"] = "item"
    payload: Item


class ReleaseMessage(BaseMessage):
    action: Literal["release"] = "release"
    payload: None = None


class ReportMessage(BaseMessage):
    action: Literal["report"] = "report"
    payload: None = None


class ReadyMessage(BaseMessage):
    action: Literal["ready"] = "ready"
    payload: str


class DeployMessage(BaseMessage):
    action: Literal["deploy"] = "deploy"
    payload: None = None


class DeployedMessage(BaseMessage):
    action: Literal["deployed"] = "deployed"
    payload: str


class ApproveMessage(BaseMessage):
    """Asks the person at the other end."""

    action: Literal["approve"] = "approve"
    payload: str


class Verdict(BaseModel):
    ok: bool
    by: str = Field(examples=["Ada"])


class ApprovedMessage(BaseMessage):
    action: Literal["approved"] = "approved"
    payload: Verdict


class Progress:
    """What streams have done."""

    def __init__(self) -> None:
        self.sent = 0
        self.closed = 0


@channel(name="agent")
class AgentConsumer(AsyncJsonWebsocketConsumer):
    """Counts, reports, and asks before it deploys."""

    progress: ClassVar[Progress]
    requests = {ApproveMessage: ApprovedMessage}  # noqa: RUF012 - the documented way to write it

    async def post_authentication(self) -> None:
        self.released = asyncio.Event()

    @ws_handler(summary="Count in a stream")
    async def handle_count(self, message: CountMessage) -> AsyncIterator[ItemMessage]:
        asked = message.payload
        try:
            for number in range(1, asked.items + 1):
                self.progress.sent = number
                yield ItemMessage(payload=Item(number=number, text="x" * asked.size))
                if number == asked.hold_after:
                    await self.released.wait()
            if asked.fail:
                raise MessageError("broken", "It broke after all")
        finally:
            self.progress.closed += 1

    @ws_handler(summary="Go on where a count waits")
    async def handle_release(self, message: ReleaseMessage) -> None:
        self.released.set()

    @ws_handler(cancellable=True, summary="Compute until it is released")
    async def handle_report(self, message: ReportMessage) -> ReadyMessage:
        await self.released.wait()
        return ReadyMessage(payload="report.pdf")

    @ws_handler(summary="Deploy, once the client approves")
    async def handle_deploy(self, message: DeployMessage) -> DeployedMessage:
        answer = await self.request(
            ApproveMessage(payload="Deploy to production?"), ApprovedMessage
        )
        if not answer.payload.ok:
            raise MessageError("declined", "You declined the deployment")
        return DeployedMessage(payload=f"approved by {answer.payload.by}")

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


HEAP_PAGE = '<!doctype html><title>Items</title><script src="/heap.js"></script>'
# What a page does that works for a millisecond on each item. It lets its browser draw and receive in between.
HEAP_SCRIPT = """
'use strict';

async function* stream(socket, request) {
  const waiting = [];
  let wake = () => {};
  socket.onmessage = ({ data }) => {
    waiting.push(JSON.parse(data));
    wake();
  };
  socket.send(JSON.stringify(request));
  for (let shown = 1; ; shown += 1) {
    while (waiting.length === 0) await new Promise((resolve) => (wake = resolve));
    const frame = waiting.shift();
    if (frame.seq === undefined) return;
    yield frame;
    const credit = request.window / 2;
    if (shown % credit === 0) socket.send(JSON.stringify({ action: 'more', payload: credit, ref: request.ref }));
  }
}

const turn = new MessageChannel();

function nextTurn() {
  return new Promise((resolve) => {
    turn.port1.onmessage = resolve;
    turn.port2.postMessage(null);
  });
}

async function work() {
  const end = performance.now() + 1;
  while (performance.now() < end);
  await nextTurn();
}

/** Take a stream; return how many items came, and the most bytes that were in use. */
async function take(payload, window) {
  const socket = new WebSocket(`ws://${location.host}/ws`);
  await new Promise((resolve) => (socket.onopen = resolve));
  const request = { action: 'count', payload, ref: '1', ...(window && { window }) };
  let [items, heap] = [0, 0];
  for await (const { seq } of stream(socket, request)) {
    await work();
    items += 1;
    if (seq !== items) throw new Error(`item ${seq} instead of ${items}`);
    if (items % 500 === 0) {
      gc(); // what nobody holds any more does not count
      heap = Math.max(heap, performance.memory.usedJSHeapSize);
    }
  }
  socket.close();
  return { items, heap };
}
"""


def make_app(progress: Progress) -> Starlette:
    """Make the application; there is one at a time."""
    AgentConsumer.progress = progress

    async def docs(request: Request) -> Response:
        return await asyncapi_docs(request, request.app)

    async def heap_page(request: Request) -> Response:
        return Response(HEAP_PAGE, media_type="text/html")

    async def heap_script(request: Request) -> Response:
        return Response(HEAP_SCRIPT, media_type="text/javascript")

    return Starlette(
        routes=[
            Route("/asyncapi", docs),
            Route("/heap", heap_page),
            Route("/heap.js", heap_script),
            WebSocketRoute("/ws", AgentConsumer.as_asgi()),
        ]
    )
