"""Django as a project with one database has it; imported before anything that reads settings."""

import os
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection

__all__ = ["query", "use"]


def use(options: dict[str, Any]) -> None:
    """Configure Django once, with the layer that the options ask for."""
    os.environ["CHANX_USE_DJANGO"] = "1"  # for chanx 2.13.0; ours reads no environment variable
    settings.configure(
        SECRET_KEY="benchmark",
        ALLOWED_HOSTS=["127.0.0.1"],
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "channels"],
        DATABASES={"default": database(options)},
        CHANNEL_LAYERS=layers(options),
    )
    django.setup()
    if options.get("query"):
        call_command("migrate", "contenttypes", verbosity=0)
        connection.close()


async def query() -> int:
    """Ask the database for one number."""
    from django.contrib.contenttypes.models import ContentType

    return await ContentType.objects.acount()


def database(options: dict[str, Any]) -> dict[str, Any]:
    """Return the setting of the database; without a query in memory."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": options.get("query") or ":memory:",
        "CONN_MAX_AGE": options.get("max_age", 0),
    }


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
