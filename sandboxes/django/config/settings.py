"""Settings of the sandbox."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config import environment
from config.layers import channel_layer

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = environment.flag("DEBUG", default=True)
SECRET_KEY = environment.text("SECRET_KEY", "only-for-development" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY must be set when DEBUG is off.")
# Also the hosts whose pages may open WebSockets here.
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", "127.0.0.1,localhost")

INSTALLED_APPS = [
    "daphne",  # gives `manage.py runserver` WebSockets; has to come before staticfiles
    "django.contrib.staticfiles",
    "channels",
    "chanx.channels",
    "chat",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True},
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = environment.text("REDIS_URL")
CHANNEL_LAYERS = {"default": channel_layer(REDIS_URL)}

CHANX = {
    "SEND_COMPLETION": environment.flag("SEND_COMPLETION", default=False),
    "LOG_WEBSOCKET_MESSAGE": environment.flag("LOG_WEBSOCKET", default=True),
    "ASYNCAPI_TITLE": "chanx Django sandbox",
    "ASYNCAPI_DESCRIPTION": "A typed chat: every message of this WebSocket is a Pydantic model.",
    "ASYNCAPI_VERSION": "1.0.0",
}

# Daphne says where it listens, whichever command started it.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"daphne": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
TIME_ZONE = "UTC"
USE_TZ = True
