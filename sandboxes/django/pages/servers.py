"""The two servers, each of which finishes what was asked before it stops.

A server that is told to stop closes its WebSockets at once, and what handlers were about to answer is lost. So
connections are drained first: handlers end, answers are sent, and the sockets are closed with 1012.
"""

import asyncio
import os
import signal
from types import FrameType
from typing import Any

import uvicorn
from channels.routing import get_default_application

from chanx.channels.shutdown import drain

__all__ = ["run_daphne", "run_uvicorn"]

# Long enough for a message of the longest text; anything bigger is refused by the server.
MAX_FRAME_BYTES = 64 * 1024
GRACE = 5  # seconds


def run_uvicorn(host: str, port: int) -> None:
    """Run uvicorn until it is told to stop; the application's lifespan drains."""
    # Uvicorn raises the signal again once it has stopped, and has to find somebody who takes it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _take)
    uvicorn.run(
        "config.asgi:application",
        host=host,
        port=port,
        ws_max_size=MAX_FRAME_BYTES,
        timeout_graceful_shutdown=GRACE,
    )


def run_daphne(host: str, port: int) -> None:
    """Run daphne, without its own signal handlers, until it is told to stop."""
    from daphne.endpoints import build_endpoint_description_strings
    from daphne.server import Server

    draining: set[asyncio.Task[None]] = set()

    async def drain_and_stop() -> None:
        await drain()
        server.stop()

    def told_to_stop() -> None:
        if draining:  # a second signal stops at once
            os._exit(1)
        draining.add(asyncio.get_running_loop().create_task(drain_and_stop()))

    def ready() -> None:  # only now it is known on which event loop daphne runs
        loop = asyncio.get_event_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, told_to_stop)

    # Any: daphne has no annotations.
    describe: Any = build_endpoint_description_strings
    server: Any = Server(
        get_default_application(),
        endpoints=describe(host=host, port=port),
        signal_handlers=False,
        ready_callable=ready,
        websocket_max_message_size=MAX_FRAME_BYTES,
        websocket_max_frame_size=MAX_FRAME_BYTES,
        application_close_timeout=GRACE,
    )
    server.run()


def _take(number: int, frame: FrameType | None) -> None:
    """Do nothing more."""
