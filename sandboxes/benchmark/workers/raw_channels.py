"""Django Channels without types: JSON in, JSON out."""

import json
import sys

import django_settings

django_settings.use(layer=bool(json.loads(sys.argv[1]).get("layer")))

from typing import Any  # noqa: E402

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from driver import Application, Options, main  # noqa: E402

__all__: list[str] = []


class Echo(AsyncJsonWebsocketConsumer):
    """Sends back what it receives."""

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Take one message."""
        await self.send_json(content)


def application(options: Options) -> Application:
    """Make the application."""
    made: Application = Echo.as_asgi()
    return made


if __name__ == "__main__":
    main(application)
