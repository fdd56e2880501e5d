"""The import paths of earlier releases."""

import importlib
import subprocess
import sys

import pytest

NAMES = {
    "authenticator": [
        "AuthActionInterceptMixin",
        "ChanxAuthView",
        "ChanxSerializer",
        "DjangoAuthenticator",
    ],
    "views": ["AsyncAPIDocsView", "AsyncAPISchemaView", "generate_asyncapi_schema"],
    "settings": ["chanx_settings"],
    "websocket": ["AsyncJsonWebsocketConsumer", "ReceiveEvent"],
    "routing": ["include", "path", "re_path"],
    "utils.asgi": ["get_websocket_application"],
}


@pytest.mark.parametrize("module", NAMES)
def test_the_same_objects_under_both_paths(module: str) -> None:
    ours = importlib.import_module(f"chanx.channels.{module}")
    earlier = importlib.import_module(f"chanx.ext.channels.{module}")

    assert sorted(earlier.__all__) == sorted(NAMES[module])
    for name in NAMES[module]:
        assert getattr(earlier, name) is getattr(ours, name)


def test_the_communicators_are_the_same() -> None:
    ours = importlib.import_module("chanx.channels.testing")
    earlier = importlib.import_module("chanx.ext.channels.testing")

    assert sorted(earlier.__all__) == sorted(ours.__all__)
    for name in ours.__all__:
        assert getattr(earlier, name) is getattr(ours, name)


WITHOUT_DRF = """
import sys
sys.modules["rest_framework"] = None
import django
from django.conf import settings
settings.configure()
django.setup()
import chanx.channels.discovery, chanx.channels.routing, chanx.channels.testing, chanx.channels.views
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage

class Plain(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> None: ...

def guarded():
    class Guarded(AsyncJsonWebsocketConsumer):
        @ws_handler(guards=["IsAuthenticated"])
        async def handle_ping(self, message: PingMessage) -> None: ...

def authenticator():
    import chanx.ext.channels.authenticator

for needing in (guarded, authenticator):
    try:
        needing()
    except ImportError as error:
        assert 'pip install "chanx-django[drf]"' in str(error), error
    else:
        raise AssertionError(needing)
"""


def test_all_but_its_own_parts_works_without_rest_framework() -> None:
    """What needs it names the extra."""
    subprocess.run([sys.executable, "-c", WITHOUT_DRF], check=True)
