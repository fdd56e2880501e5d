"""A chanx consumer on Django Channels: ours or 2.13.0, whichever is installed."""

import json
import sys

import django_settings

django_settings.use(layer=bool(json.loads(sys.argv[1]).get("layer")))

from consumers import echo_application, echo_classes  # noqa: E402
from driver import Application, Options, main  # noqa: E402

from chanx.channels.websocket import AsyncJsonWebsocketConsumer  # noqa: E402

__all__: list[str] = []


def application(options: Options) -> Application:
    """Make the application."""
    made: Application = echo_application(AsyncJsonWebsocketConsumer, options)
    return made


if __name__ == "__main__":
    main(application, lambda count: echo_classes(AsyncJsonWebsocketConsumer, count))
