"""Django as a project with one database has it; imported before anything that reads settings."""

import os

import django
from django.conf import settings

__all__ = ["use"]


def use(*, layer: bool) -> None:
    """Configure Django once."""
    os.environ["CHANX_USE_DJANGO"] = "1"  # for chanx 2.13.0; ours reads no environment variable
    backend = "channels.layers.InMemoryChannelLayer"
    settings.configure(
        SECRET_KEY="benchmark",
        ALLOWED_HOSTS=["127.0.0.1"],
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "channels"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        CHANNEL_LAYERS={"default": {"BACKEND": backend}} if layer else {},
    )
    django.setup()
