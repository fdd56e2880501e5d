"""What every integration must do, on Django Channels."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar

import pytest
from channels.layers import InMemoryChannelLayer
from channels.routing import URLRouter
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.test import override_settings
from pytest_django import DjangoDbBlocker

import chanx.channels
from chanx.channels.testing import WebsocketCommunicator, use_channel_layer
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.testing.socket import Application
from chanx_conformance.access import AccessTests
from chanx_conformance.attacks import AttackTests
from chanx_conformance.declarations import DeclarationTests
from chanx_conformance.endings import EndingTests
from chanx_conformance.error_frames import ErrorFrameTests
from chanx_conformance.errors import ErrorTests
from chanx_conformance.extensions import ExtensionTests
from chanx_conformance.failures import FailureTests
from chanx_conformance.groups import GroupTests
from chanx_conformance.history import HistoryTests
from chanx_conformance.history_stores import HistoryLayerTests
from chanx_conformance.hooks import HookTests
from chanx_conformance.imports import ImportTests
from chanx_conformance.logs import LogTests
from chanx_conformance.losses import LossTests
from chanx_conformance.messages import MessageTests
from chanx_conformance.options import OptionTests
from chanx_conformance.order import OrderTests
from chanx_conformance.process_layer import ProcessLayerTests
from chanx_conformance.redis_layers import RedisLayerTests
from chanx_conformance.silence import SilenceTests
from chanx_conformance.streams import StreamTests
from chanx_conformance.suite import Consumer, LayerKind, Suite
from chanx_conformance.topic_connections import TopicConnectionTests
from chanx_conformance.topic_declarations import TopicDeclarationTests
from chanx_conformance.topic_layers import TopicLayerTests
from chanx_conformance.topics import TopicTests


class OnChannels(Suite):
    """Django Channels, and the layers of channels_redis."""

    base = AsyncJsonWebsocketConsumer
    communicator = WebsocketCommunicator
    layer_setting = "CHANNEL_LAYERS['default']"

    @pytest.fixture(autouse=True)
    def database(self, django_db_blocker: DjangoDbBlocker) -> Generator[None]:
        """Allow the database: consumers check the connections that earlier tests have left open, and log a failure."""
        with django_db_blocker.unblock():
            yield

    def make_layer(self, kind: LayerKind, url: str = "") -> Any:
        if kind == "memory":
            return InMemoryChannelLayer()
        # Any: channels_redis has no types.
        make: Any = RedisChannelLayer if kind == "queue" else RedisPubSubChannelLayer
        return make(hosts=[url])

    def registered(self, layer: Any) -> AbstractContextManager[None]:
        return use_channel_layer(layer)

    @contextmanager
    def unregistered(self) -> Generator[None]:
        with override_settings(CHANNEL_LAYERS={}):
            yield


class TestAccess(OnChannels, AccessTests):
    """Who may connect: authentication, origins, the handshake."""


class TestAttacks(OnChannels, AttackTests):
    """What careless code and hostile clients must not be able to do."""


class TestDeclarations(OnChannels, DeclarationTests):
    """What a consumer class declares, and which mistakes are refused."""


class TestEndings(OnChannels, EndingTests):
    """How connections end."""


class TestErrorFrames(OnChannels, ErrorFrameTests):
    """The exact answers to frames that are no messages."""


class TestErrors(OnChannels, ErrorTests):
    """Application errors."""


class TestExtensions(OnChannels, ExtensionTests):
    """Guards, parameters and the probe."""


class TestFailures(OnChannels, FailureTests):
    """What goes wrong, or is too much."""


class TestGroups(OnChannels, GroupTests):
    """Groups and what reaches their members."""


class TestHooks(OnChannels, HookTests):
    """Hooks that applications override."""


class TestImports(OnChannels, ImportTests):
    """The names that `chanx.channels` offers."""

    package: ClassVar[Any] = chanx.channels
    own: ClassVar[dict[str, list[str]]] = {
        "chanx.channels.authenticator": ["DjangoAuthenticator"],
        "chanx.channels.routing": ["include", "path", "re_path"],
        "chanx.channels.websocket": ["AsyncJsonWebsocketConsumer"],
        "chanx.core.shutdown": ["drain", "lifespan"],
    }

    def application(self, consumer: Consumer) -> Application:
        served: Any = consumer
        return URLRouter([chanx.channels.path("ws/", served.as_asgi())])


class TestLogs(OnChannels, LogTests):
    """What is logged."""


class TestLosses(OnChannels, LossTests):
    """What a channel layer loses."""


class TestMessages(OnChannels, MessageTests):
    """Messages and their answers."""


class TestOptions(OnChannels, OptionTests):
    """Options of a consumer class."""


class TestOrder(OnChannels, OrderTests):
    """In which order messages are handled."""


class TestProcessLayer(OnChannels, ProcessLayerTests):
    """No channel layer is registered."""


class TestRedisLayers(OnChannels, RedisLayerTests):
    """Layers on a real server."""


class TestSilence(OnChannels, SilenceTests):
    """What a test may conclude from silence."""


class TestStreams(OnChannels, StreamTests):
    """Streamed answers, cancelling, credit, requests."""


class TestHistory(OnChannels, HistoryTests):
    """The history of topics."""


class TestHistoryLayers(OnChannels, HistoryLayerTests):
    """The history of topics on every kind of channel layer."""


class TestTopics(OnChannels, TopicTests):
    """Topics: many typed channels on one socket."""


class TestTopicDeclarations(OnChannels, TopicDeclarationTests):
    """What classes of topics declare, and where broadcasts go."""


class TestTopicConnections(OnChannels, TopicConnectionTests):
    """Topics over the life of a connection."""


class TestTopicLayers(OnChannels, TopicLayerTests):
    """Topics on every kind of channel layer."""
