"""Tell whether the site on a machine lets people in: opens the board's WebSocket, which everybody may.

    python -m pages.health [--host 127.0.0.1] [--port 8080]

Exits with 0 or 1, as a container's health check wants it. Django is not loaded, which takes longer than to look.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

__all__ = ["main"]

TIME_LIMIT = 4.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, say what is wrong, and return the exit code."""
    parser = argparse.ArgumentParser(description="Tell whether the site lets people in.")
    parser.add_argument("--host", default="127.0.0.1", help="where it is (%(default)s)")
    parser.add_argument("--port", default=8080, type=int, help="where it listens (%(default)s)")
    options = parser.parse_args(arguments)
    url = f"ws://{options.host}:{options.port}/ws/board/"
    try:
        asyncio.run(_look(url))
    except (OSError, WebSocketException) as error:  # a TimeoutError is an OSError
        print(f"health: {url} is not healthy: {error!r}", file=sys.stderr)
        return 1
    return 0


async def _look(url: str) -> None:
    async with asyncio.timeout(TIME_LIMIT), connect(url, proxy=None) as board:
        await board.send('{"action": "ping"}')
        while "pong" not in str(await board.recv()):
            pass


if __name__ == "__main__":
    sys.exit(main())
