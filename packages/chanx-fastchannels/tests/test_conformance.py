"""What every integration must do, on fast-channels."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from starlette.applications import Starlette

import chanx.fast_channels
from chanx.fast_channels.layers import memory_layer, pubsub_layer, queue_layer
from chanx.fast_channels.testing import WebsocketCommunicator, use_channel_layer
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
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
from chanx_conformance.history_stores import HistoryLayerTests, HistoryStoreTests
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


class OnFastChannels(Suite):
    """The layers of fast-channels."""

    base = AsyncJsonWebsocketConsumer
    communicator = WebsocketCommunicator
    layer_setting = "channel layer 'default' of register_layers()"

    def make_layer(self, kind: LayerKind, url: str = "") -> Any:
        match kind:
            case "memory":
                return memory_layer()
            case "pubsub":
                return pubsub_layer(url)
            case "queue":
                return queue_layer(url)

    def registered(self, layer: Any) -> AbstractContextManager[None]:
        return use_channel_layer(layer)

    def unregistered(self) -> AbstractContextManager[None]:
        return nullcontext()  # nothing is, until a test registers something


class TestAccess(OnFastChannels, AccessTests):
    """Who may connect: authentication, origins, the handshake."""


class TestAttacks(OnFastChannels, AttackTests):
    """What careless code and hostile clients must not be able to do."""


class TestDeclarations(OnFastChannels, DeclarationTests):
    """What a consumer class declares, and which mistakes are refused."""


class TestEndings(OnFastChannels, EndingTests):
    """How connections end."""


class TestErrorFrames(OnFastChannels, ErrorFrameTests):
    """The exact answers to frames that are no messages."""


class TestErrors(OnFastChannels, ErrorTests):
    """Application errors."""


class TestExtensions(OnFastChannels, ExtensionTests):
    """Guards, parameters and the probe."""


class TestFailures(OnFastChannels, FailureTests):
    """What goes wrong, or is too much."""


class TestGroups(OnFastChannels, GroupTests):
    """Groups and what reaches their members."""


class TestHooks(OnFastChannels, HookTests):
    """Hooks that applications override."""


class TestImports(OnFastChannels, ImportTests):
    """The names that `chanx.fast_channels` offers."""

    package: ClassVar[Any] = chanx.fast_channels
    own: ClassVar[dict[str, list[str]]] = {
        "chanx.core.shutdown": ["draining"],
        "chanx.fast_channels.layers": [
            "close_layers",
            "memory_layer",
            "pubsub_layer",
            "queue_layer",
            "register_layers",
        ],
        "chanx.fast_channels.routing": ["add_websocket_consumer"],
        "chanx.fast_channels.type_defs": ["AsyncAPIConfig"],
        "chanx.fast_channels.views": [
            "asyncapi_client_js",
            "asyncapi_docs",
            "asyncapi_spec_json",
            "asyncapi_spec_yaml",
        ],
        "chanx.fast_channels.websocket": ["AsyncJsonWebsocketConsumer"],
    }

    def application(self, consumer: Consumer) -> Application:
        app = Starlette()
        served: Any = consumer
        chanx.fast_channels.add_websocket_consumer(app, "/ws/", served)
        return app


class TestLogs(OnFastChannels, LogTests):
    """What is logged."""


class TestLosses(OnFastChannels, LossTests):
    """What a channel layer loses."""


class TestMessages(OnFastChannels, MessageTests):
    """Messages and their answers."""


class TestOptions(OnFastChannels, OptionTests):
    """Options of a consumer class."""


class TestOrder(OnFastChannels, OrderTests):
    """In which order messages are handled."""


class TestProcessLayer(OnFastChannels, ProcessLayerTests):
    """No channel layer is registered."""


class TestRedisLayers(OnFastChannels, RedisLayerTests):
    """Layers on a real server."""


class TestSilence(OnFastChannels, SilenceTests):
    """What a test may conclude from silence."""


class TestStreams(OnFastChannels, StreamTests):
    """Streamed answers, cancelling, credit, requests."""


class TestHistory(OnFastChannels, HistoryTests):
    """The history of topics."""


class TestHistoryLayers(OnFastChannels, HistoryLayerTests):
    """The history of topics on every kind of channel layer."""


class TestHistoryStores(HistoryStoreTests):
    """The stores of histories, which no framework changes."""


class TestTopics(OnFastChannels, TopicTests):
    """Topics: many typed channels on one socket."""


class TestTopicDeclarations(OnFastChannels, TopicDeclarationTests):
    """What classes of topics declare, and where broadcasts go."""


class TestTopicConnections(OnFastChannels, TopicConnectionTests):
    """Topics over the life of a connection."""


class TestTopicLayers(OnFastChannels, TopicLayerTests):
    """Topics on every kind of channel layer."""
