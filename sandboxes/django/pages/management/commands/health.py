"""`manage.py health`: whether the site answers, with its database and its WebSockets."""

import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from websockets.asyncio.client import connect

TIME_LIMIT = 4.0


class Command(BaseCommand):
    """Opens the board's WebSocket, which everybody may, and waits to be let in."""

    help = "Fail unless the site on this machine serves WebSockets."
    requires_system_checks: Any = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Add where the site is."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", default=8080, type=int)

    # Any: options come as argparse made them.
    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        """Look."""
        try:
            asyncio.run(_look(f"ws://{host}:{port}/ws/board/"))
        except (OSError, TimeoutError, AssertionError) as error:
            raise CommandError(f"The site at {host}:{port} does not answer: {error!r}") from None


async def _look(url: str) -> None:
    async with asyncio.timeout(TIME_LIMIT), connect(url, proxy=None) as board:
        await board.send('{"action": "ping"}')
        while "pong" not in str(await board.recv()):
            pass
