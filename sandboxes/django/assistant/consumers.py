"""The WebSocket of the assistant."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from django.conf import settings

from accounts.consumers import SiteConsumer
from assistant.messages import (
    AnswerDone,
    AnswerDonePayload,
    AnswerPiece,
    AnswerPiecePayload,
    Ask,
    Stop,
)
from assistant.models import Exchange
from assistant.source import pieces
from chanx.core.decorators import channel, event_handler, ws_handler

__all__ = ["AssistantConsumer"]


@channel(name="assistant", tags=["assistant"])
class AssistantConsumer(SiteConsumer[AnswerPiece | AnswerDone]):
    """Answers questions one after another, each in pieces."""

    stopped = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.told_the_end = asyncio.Event()

    @ws_handler(summary="Ask something", output_type=[AnswerPiece, AnswerDone])
    async def handle_ask(self, message: Ask) -> None:
        """Send the answer in pieces as they are made: each is an event for this connection.

        It is handled when the last one has left, so that a server that is about to stop waits for it.
        """
        self.stopped = False
        self.told_the_end.clear()
        exchange = await Exchange.objects.acreate(user=self.user, question=message.payload.question)
        async with self.kept(exchange):
            for piece in pieces(exchange.question):
                if self.stopped:
                    break
                exchange.answer += piece
                await self.tell_piece(exchange, piece)
                await asyncio.sleep(settings.ASSISTANT_PAUSE)
        payload = AnswerDonePayload(exchange_id=exchange.pk, was_stopped=exchange.was_stopped)
        await self.send_event(AnswerDone(payload=payload), self.channel_name)
        await self.told_the_end.wait()

    @ws_handler(summary="Stop the answer", concurrent=True)
    async def handle_stop(self, _message: Stop) -> None:
        """Stop after the piece that is being sent. It does not wait for its turn behind the answer."""
        self.stopped = True

    @asynccontextmanager
    async def kept(self, exchange: Exchange) -> AsyncGenerator[None]:
        """Store what was answered, also when the connection ends in the middle of it."""
        try:
            yield
        except asyncio.CancelledError:
            self.stopped = True
            raise
        finally:
            exchange.was_stopped = self.stopped
            await asyncio.shield(exchange.asave(update_fields=["answer", "was_stopped"]))

    async def tell_piece(self, exchange: Exchange, piece: str) -> None:
        """Send one piece."""
        payload = AnswerPiecePayload(exchange_id=exchange.pk, text=piece)
        await self.send_event(AnswerPiece(payload=payload), self.channel_name)

    @event_handler
    async def on_piece(self, event: AnswerPiece) -> AnswerPiece:
        """Pass on a piece."""
        return event

    @event_handler(output_type=AnswerDone)
    async def on_done(self, event: AnswerDone) -> None:
        """Pass on the end."""
        await self.send_message(event)
        self.told_the_end.set()
