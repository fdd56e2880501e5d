"""Django Channels without types: JSON in, JSON out."""

import json
import sys

import django_settings

django_settings.use(json.loads(sys.argv[1]))

from typing import Any  # noqa: E402

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from driver import Application, Options, main  # noqa: E402

__all__: list[str] = []


class Echo(AsyncJsonWebsocketConsumer):
    """Sends back what it receives."""

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Take one message."""
        await self.send_json(content)


class Asking(AsyncJsonWebsocketConsumer):
    """Asks the database, and sends back what it receives."""

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Take one message."""
        await django_settings.query()
        await self.send_json(content)


class Room(AsyncJsonWebsocketConsumer):
    """Tells the group what it receives."""

    groups = ["room"]  # noqa: RUF012 - as users of the framework write it

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Take one message."""
        await self.channel_layer.group_send("room", {"type": "room.message", "content": content})

    async def room_message(self, event: Any) -> None:
        """Handle what the group receives."""
        await self.send_json(event["content"])


def application(options: Options) -> Application:
    """Make the application."""
    consumer = Room if options.room else Asking if options.query else Echo
    made: Application = consumer.as_asgi()
    return made


if __name__ == "__main__":
    main(application, query=django_settings.query)
