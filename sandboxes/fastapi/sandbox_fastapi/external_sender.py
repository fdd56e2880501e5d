"""Send events to the clients of the running sandbox, from a process of its own.

    python sandbox_fastapi/external_sender.py                                 asks what to send, and where to
    python sandbox_fastapi/external_sender.py --to chat --message "Hello"     sends once

It shares nothing with the application but the Redis server: REDIS_URL, or the one that start_dev.py has started.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
if not __package__:
    # Started as a script: Python looks for modules beside it, but the package is one folder up.
    sys.path[:] = [str(HERE.parent), *(entry for entry in sys.path if Path(entry) != HERE)]

from pydantic import ValidationError  # noqa: E402

from sandbox_fastapi.apps.hub.topics import ChatTopic, NotificationTopic  # noqa: E402
from sandbox_fastapi.apps.showcase.consumer import (  # noqa: E402
    AnalyticsConsumer,
    ChatConsumer,
    NotificationConsumer,
    ReliableChatConsumer,
)
from sandbox_fastapi.apps.showcase.messages import SystemNotify  # noqa: E402
from sandbox_fastapi.layers import close_layers, setup_layers  # noqa: E402
from sandbox_fastapi.redis_server import RedisServerError, check_redis  # noqa: E402
from sandbox_fastapi.running import running_redis  # noqa: E402
from sandbox_fastapi.settings import Settings  # noqa: E402

__all__ = ["main"]


async def _to_chat(event: SystemNotify) -> None:
    await ChatConsumer.broadcast_event(event)
    await ChatTopic.broadcast("chat", event)


async def _to_notifications(event: SystemNotify) -> None:
    await NotificationConsumer.broadcast_event(event)
    await NotificationTopic.broadcast("notifications:info", event)


DESTINATIONS: dict[str, Callable[[SystemNotify], Awaitable[None]]] = {
    "chat": _to_chat,
    "reliable": ReliableChatConsumer.broadcast_event,
    "notifications": _to_notifications,
    "analytics": AnalyticsConsumer.broadcast_event,
}
EVERYWHERE = "all"


class SendError(Exception):
    """Nothing can be sent; the text says why in one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Send, and return the exit code."""
    options = _parse(arguments)
    try:
        asyncio.run(_run(options))
    except (SendError, RedisServerError) as error:
        print(f"external_sender: {error}", file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        print()
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Send events to the clients of the sandbox.")
    places = [*DESTINATIONS, EVERYWHERE]
    parser.add_argument("--to", choices=places, default=EVERYWHERE, help="where to (%(default)s)")
    parser.add_argument("--message", help="what to send; asked for when left out")
    parser.add_argument(
        "--port", type=int, default=8080, help="port of the sandbox that start_dev.py started"
    )
    return parser.parse_args(arguments)


async def _run(options: argparse.Namespace) -> None:
    url = Settings.from_environment().redis_url or running_redis(options.port)
    if url is None:
        raise SendError(
            f"there is no sandbox on port {options.port} with a Redis of its own: start start_dev.py, "
            "or set REDIS_URL to the server that the application uses."
        )
    await check_redis(url)
    setup_layers(url)
    try:
        if options.message is not None:
            await _send(options.to, options.message)
        else:
            await _converse()
    finally:
        await close_layers()


async def _converse() -> None:
    """Ask until the input ends."""
    print(f"Destinations: {', '.join([*DESTINATIONS, EVERYWHERE])}. Ctrl+D or Ctrl+C ends.")
    while True:
        place = (await _ask(f"Where to [{EVERYWHERE}]: ")) or EVERYWHERE
        if place != EVERYWHERE and place not in DESTINATIONS:
            print(f"{place!r} is no destination.")
            continue
        try:
            await _send(place, await _ask("Message: "))
        except SendError as error:
            print(f"Not sent: {error}")


async def _ask(question: str) -> str:
    return (await asyncio.to_thread(input, question)).strip()


async def _send(place: str, text: str) -> None:
    try:
        event = SystemNotify(payload=text)
    except ValidationError as error:
        raise SendError(f"{error.errors()[0]['msg']}.") from None
    for name in DESTINATIONS if place == EVERYWHERE else [place]:
        await DESTINATIONS[name](event)
        print(f"Sent to {name}: {event.payload}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
