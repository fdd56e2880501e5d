"""The ASGI application: HTTP by Django, WebSockets by Channels."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# First of all: it loads the applications, whose modules the routing imports.
http_application = get_asgi_application()

from chat.routing import websocket_urlpatterns  # noqa: E402

__all__ = ["application"]

application = ProtocolTypeRouter(
    {
        # Without DEBUG the web server in front serves the files that collectstatic gathered.
        "http": ASGIStaticFilesHandler(http_application) if settings.DEBUG else http_application,
        "websocket": URLRouter(websocket_urlpatterns),
    }
)
