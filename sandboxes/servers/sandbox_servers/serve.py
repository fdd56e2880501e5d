"""Serve one application, and answer what was asked before stopping.

    python -m sandbox_servers.serve uvicorn sandbox_servers.on_starlette:application --port 8000

A server that is told to stop closes its WebSockets at once, and what handlers were about to answer is lost. Each
function here shows how to drain the connections before that with one server.
"""

import argparse
import asyncio
import logging
import signal
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import uvicorn

from chanx.core.shutdown import drain, lifespan

__all__ = ["main"]

HOST = "127.0.0.1"


def serve_uvicorn(application: str, port: int, ws: str = "auto") -> None:
    """Run uvicorn, which takes signals by itself, and tells applications when it starts: from then on they drain."""
    served = _load(application)

    async def draining(scope: Any, receive: Any, send: Any) -> None:
        await (lifespan if scope["type"] == "lifespan" else served)(scope, receive, send)

    options: dict[str, Any] = {"ws": ws, "host": HOST, "port": port}
    uvicorn.run(draining, **options)


def serve_wsproto(application: str, port: int) -> None:
    """Run uvicorn with its other WebSocket implementation."""
    serve_uvicorn(application, port, ws="wsproto")


def serve_hypercorn(application: str, port: int) -> None:
    """Run hypercorn, which takes a coroutine function that returns when it is time to stop."""
    from hypercorn.asyncio import serve  # pyright: ignore[reportUnknownVariableType] # untyped in part
    from hypercorn.config import Config

    async def told_to_stop() -> None:
        told = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
        await told.wait()
        await drain()

    config = Config()
    config.bind = [f"{HOST}:{port}"]
    asyncio.run(serve(_load(application), config, shutdown_trigger=told_to_stop))


def serve_daphne(application: str, port: int) -> None:
    """Run daphne without its own signal handlers."""
    from daphne.server import Server

    logging.basicConfig(level=logging.INFO)

    draining: set[asyncio.Task[None]] = set()

    async def drain_and_stop() -> None:
        await drain()
        server.stop()

    def told_to_stop() -> None:
        draining.add(asyncio.get_running_loop().create_task(drain_and_stop()))

    def ready() -> None:  # only now it is known on which event loop daphne runs
        asyncio.get_event_loop().add_signal_handler(signal.SIGTERM, told_to_stop)

    # Any: daphne has no annotations.
    server: Any = Server(
        _load(application),
        endpoints=[f"tcp:port={port}:interface={HOST}"],
        signal_handlers=False,
        ready_callable=ready,
    )
    server.run()


# Any: an ASGI application, which every server annotates in its own way.
def _load(application: str) -> Any:
    module, name = application.split(":")
    return getattr(import_module(module), name)


SERVERS = {
    "uvicorn": serve_uvicorn,
    "wsproto": serve_wsproto,
    "hypercorn": serve_hypercorn,
    "daphne": serve_daphne,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description="Serve one application.")
    parser.add_argument("server", choices=SERVERS)
    parser.add_argument("application", help="module:name")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(arguments)
    SERVERS[options.server](options.application, options.port)


if __name__ == "__main__":
    main()
