"""fast-channels without types: JSON in, JSON out."""

from typing import Any

from driver import Application, Options, main
from fast_channels.consumer import AsyncJsonWebsocketConsumer
from fast_channels.layers import InMemoryChannelLayer, register_channel_layer

__all__: list[str] = []


class Echo(AsyncJsonWebsocketConsumer):
    """Sends back what it receives."""

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Take one message."""
        await self.send_json(content)


def application(options: Options) -> Application:
    """Make the application."""
    if options.layer:
        register_channel_layer("default", InMemoryChannelLayer())
        Echo.channel_layer_alias = "default"
    made: Application = Echo.as_asgi()
    return made


if __name__ == "__main__":
    main(application)
