"""A chanx consumer on Django Channels: ours or 2.13.0, whichever is installed."""

import json
import sys

import django_settings

django_settings.use(json.loads(sys.argv[1]))

from consumers import application_of, echo_classes  # noqa: E402
from driver import Application, Options, main  # noqa: E402

from chanx.channels.websocket import AsyncJsonWebsocketConsumer  # noqa: E402

__all__: list[str] = []


def application(options: Options) -> Application:
    """Make the application."""
    query = django_settings.query if options.query else None
    made: Application = application_of(AsyncJsonWebsocketConsumer, options, query)
    return made


if __name__ == "__main__":
    main(
        application,
        lambda count: echo_classes(AsyncJsonWebsocketConsumer, count),
        django_settings.query,
    )
