"""The WebSocket of the assistant."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings

from accounts.consumers import SiteConsumer
from assistant.messages import AnswerPiece, AnswerPiecePayload, Ask
from assistant.models import Exchange
from assistant.source import pieces
from chanx.core.decorators import channel, ws_handler

__all__ = ["AssistantConsumer"]


@channel(name="assistant", tags=["assistant"])
class AssistantConsumer(SiteConsumer):
    """Streams the answers to questions. The client stops one by `cancel` with the `ref` of the question."""

    @ws_handler(summary="Ask something")
    async def handle_ask(self, message: Ask) -> AsyncIterator[AnswerPiece]:
        """Yield the answer in pieces as they are made."""
        # Until the end it counts as stopped: the client may leave at any time, and show its page again.
        exchange = await Exchange.objects.acreate(
            user=self.user, question=message.payload.question, was_stopped=True
        )
        async with kept(exchange):
            for piece in pieces(exchange.question):
                exchange.answer += piece
                yield AnswerPiece(payload=AnswerPiecePayload(text=piece))
                await asyncio.sleep(settings.ASSISTANT_PAUSE)


@asynccontextmanager
async def kept(exchange: Exchange) -> AsyncGenerator[None]:
    """Store what was answered, also when the client cancels or disconnects in the middle of it."""
    try:
        yield
        exchange.was_stopped = False
    finally:
        # A second cancellation, at the end of the grace, must not lose the answer.
        await asyncio.shield(exchange.asave(update_fields=["answer", "was_stopped"]))
