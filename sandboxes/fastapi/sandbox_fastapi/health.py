"""Tell whether a running sandbox answers: over HTTP, and over a WebSocket.

    python -m sandbox_fastapi.health [--url http://127.0.0.1:8080]

Exits with 0 or 1, as a container's health check wants it.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from urllib.error import URLError
from urllib.request import urlopen

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

__all__ = ["main"]

TIMEOUT = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, say what is wrong, and return the exit code."""
    parser = argparse.ArgumentParser(description="Tell whether a running sandbox answers.")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where it is (%(default)s)")
    url = str(parser.parse_args(arguments).url).rstrip("/")
    try:
        _ask_http(f"{url}/health")
        asyncio.run(_ask_websocket(f"{url.replace('http', 'ws', 1)}/ws/system"))
    except (OSError, URLError, WebSocketException, ValueError, KeyError) as error:
        print(f"health: {url} is not healthy: {error!r}", file=sys.stderr)
        return 1
    return 0


def _ask_http(url: str) -> None:
    with urlopen(url, timeout=TIMEOUT) as answer:
        status = json.load(answer)["status"]
    if status != "ok":
        raise ValueError(f"status {status!r}")


async def _ask_websocket(url: str) -> None:
    async with asyncio.timeout(TIMEOUT), connect(url, proxy=None) as connection:
        await connection.send('{"action": "ping"}')
        if json.loads(await connection.recv())["action"] != "pong":
            raise ValueError("no pong")


if __name__ == "__main__":
    sys.exit(main())
