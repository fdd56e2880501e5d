"""The ASGI application: HTTP by Django, WebSockets by Channels."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# First of all: it loads the applications, whose modules the routing imports.
http_application = get_asgi_application()

from chanx.channels.shutdown import lifespan  # noqa: E402
from config.routing import websocket_urlpatterns  # noqa: E402

__all__ = ["application"]

application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns)),
        "lifespan": lifespan,
    }
)
