"""Settings of the Django application; it has no database."""

import os
from typing import Any

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["127.0.0.1", "example.com"]
INSTALLED_APPS = ["channels", "chanx.channels"]
ROOT_URLCONF = "sandbox_servers.django_urls"
CHANX = {"LOG_WEBSOCKET_MESSAGE": False}
PREFIX = "django"
REDIS_URL = os.environ.get("REDIS_URL", "")


def _layer(backend: str) -> dict[str, Any]:
    if not REDIS_URL:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    # From version 8 on redis-py gives up after 5 s of silence, which is no failure on a queue, and refuses
    # more than 100 calls at once.
    host = {"address": REDIS_URL, "socket_timeout": None, "max_connections": 1000}
    return {"BACKEND": backend, "CONFIG": {"hosts": [host], "prefix": PREFIX}}


CHANNEL_LAYERS = {
    "queue": _layer("channels_redis.core.RedisChannelLayer"),
    "pubsub": _layer("channels_redis.pubsub.RedisPubSubChannelLayer"),
}
USE_TZ = True
