"""The consumers on Django Channels: `daphne sandbox_servers.on_django:application`."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox_servers.django_settings")
# First of all: it loads the applications, whose modules the consumers import.
http_application = get_asgi_application()

from chanx.channels.routing import path  # noqa: E402
from chanx.channels.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from sandbox_servers.consumers import consumers  # noqa: E402
from sandbox_servers.logs import configure_logging  # noqa: E402

__all__ = ["application", "served"]

configure_logging()
served = dict(consumers(AsyncJsonWebsocketConsumer))
# Any: the stubs' list of routes is invariant, and path() returns one of its two kinds.
routes: list[Any] = [path(where, consumer.as_asgi()) for where, consumer in served.items()]
application = ProtocolTypeRouter({"http": http_application, "websocket": URLRouter(routes)})
