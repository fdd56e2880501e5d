"""fast-channels without types: JSON in, JSON out."""

from typing import Any

from driver import Application, Options, main
from fast_channels.consumer import AsyncJsonWebsocketConsumer
from fast_channels_layer import register_layer

__all__: list[str] = []


class Echo(AsyncJsonWebsocketConsumer):
    """Sends back what it receives."""

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Take one message."""
        await self.send_json(content)


class Room(AsyncJsonWebsocketConsumer):
    """Tells the group what it receives."""

    groups = ["room"]  # noqa: RUF012 - as users of the framework write it

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Take one message."""
        assert self.channel_layer is not None
        await self.channel_layer.group_send("room", {"type": "room.message", "content": content})

    async def room_message(self, event: Any) -> None:
        """Handle what the group receives."""
        await self.send_json(event["content"])


def application(options: Options) -> Application:
    """Make the application."""
    register_layer(options)
    consumer = Room if options.room else Echo
    if options.layer:
        consumer.channel_layer_alias = "default"
    made: Application = consumer.as_asgi()
    return made


if __name__ == "__main__":
    main(application)
