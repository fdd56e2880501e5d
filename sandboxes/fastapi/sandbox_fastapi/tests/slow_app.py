"""An application whose handler takes its time: what is stopped while it runs."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from chanx.core.decorators import ws_handler
from chanx.fast_channels.routing import add_websocket_consumer
from chanx.fast_channels.shutdown import draining
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage

SECONDS = 1.0


class SlowConsumer(AsyncJsonWebsocketConsumer):
    """Says that it has begun, and answers later."""

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        """Take a second."""
        print("The handler has begun", flush=True)  # noqa: T201 - the test waits for it
        await asyncio.sleep(SECONDS)
        return PongMessage()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    """Drain, as main.py does."""
    with draining():
        yield


app = FastAPI(lifespan=lifespan)
add_websocket_consumer(app, "/ws", SlowConsumer)
