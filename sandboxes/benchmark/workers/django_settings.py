"""Django as a project with one database has it; imported before anything that reads settings."""

import os
from typing import Any

import django
from django.conf import settings

__all__ = ["use"]


def use(options: dict[str, Any]) -> None:
    """Configure Django once, with the layer that the options ask for."""
    os.environ["CHANX_USE_DJANGO"] = "1"  # for chanx 2.13.0; ours reads no environment variable
    settings.configure(
        SECRET_KEY="benchmark",
        ALLOWED_HOSTS=["127.0.0.1"],
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "channels"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        CHANNEL_LAYERS=layers(options),
    )
    django.setup()


def layers(options: dict[str, Any]) -> dict[str, Any]:
    """Return the setting CHANNEL_LAYERS."""
    if url := options.get("redis"):
        backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
        # Processes that take turns on one server must not hear each other.
        config = {"hosts": [url], "prefix": f"bench{os.getpid()}"}
        return {"default": {"BACKEND": backend, "CONFIG": config}}
    if options.get("layer"):
        return {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    return {}
