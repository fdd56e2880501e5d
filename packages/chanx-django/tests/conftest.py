"""A Django project of the smallest kind."""

import django
from django.conf import settings


def pytest_configure() -> None:
    """Configure Django before tests are collected."""
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.sessions",
            "rest_framework",
            "rest_framework.authtoken",
            "channels",
            "chanx.channels",
        ],
        ROOT_URLCONF="chanx.channels.urls",
        SECRET_KEY="of the tests, and long enough for tokens",
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        USE_TZ=True,
    )
    django.setup()
