"""What both sides say to each other, to be looked at while they run: `python -m sandbox_mixed demo`."""

import asyncio
import json

from websockets.asyncio.client import ClientConnection, connect

__all__ = ["show"]

SOCKETS = {"FastAPI": "/ws/news", "Django": "/django/ws/news/"}
# The same message, as each side wants it.
REPORTS = {"FastAPI": {"news_text": "Hello from FastAPI"}, "Django": {"newsText": "Hello, Django"}}
SILENCE = 1.0  # seconds without a frame, after which everything has been said


async def show(port: int, token: str) -> None:
    """Open a socket on each side, send a report on each, and print every frame."""
    headers = {"Authorization": f"Token {token}"}
    base = f"ws://127.0.0.1:{port}"
    async with (
        connect(base + SOCKETS["FastAPI"], additional_headers=headers, proxy=None) as fastapi,
        connect(base + SOCKETS["Django"], additional_headers=headers, proxy=None) as django,
    ):
        sides = {"FastAPI": fastapi, "Django": django}
        for side, ws in sides.items():
            await hear(side, ws)
        for sender, ws in sides.items():
            report = json.dumps({"action": "report", "payload": REPORTS[sender]})
            print(f"\n{sender:>8}  <- {report}")
            await ws.send(report)
            for side, listener in sides.items():
                await hear(side, listener)


async def hear(side: str, ws: ClientConnection) -> None:
    """Print what one side sends, until it is silent."""
    while True:
        try:
            async with asyncio.timeout(SILENCE):
                print(f"{side:>8}  -> {await ws.recv()!s}")
        except TimeoutError:
            return
