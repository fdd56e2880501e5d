"""Settings of the Django side: camel case on the wire, a completion behind each message, and a log."""

from sandbox_mixed.environment import DATABASE, LAYER, PREFIX, REDIS_URL

SECRET_KEY = "of a sandbox that keeps no secrets"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "rest_framework.authtoken",
    "channels",
    "chanx.channels",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "sandbox_mixed.django_side"
ASGI_APPLICATION = "sandbox_mixed.django_side.application"
USE_TZ = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
_BACKENDS = {
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
    "queue": "channels_redis.core.RedisChannelLayer",
}
CHANNEL_LAYERS = {
    "default": {"BACKEND": _BACKENDS[LAYER], "CONFIG": {"hosts": [REDIS_URL], "prefix": PREFIX}}
}
CHANX = {
    "CAMELIZE": True,
    "SEND_COMPLETION": True,
    "LOG_WEBSOCKET_MESSAGE": True,
    "ASYNCAPI_TITLE": "The Django side",
}
# Messages are logged at the level INFO, which nobody shows by default.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "messages": {"format": "%(levelname)s:     %(message)s (%(consumer)s, %(path)s)"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "messages"}},
    "loggers": {"chanx": {"handlers": ["console"], "level": "INFO"}},
}
