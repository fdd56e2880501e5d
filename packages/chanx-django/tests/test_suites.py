"""The suites of every integration, on Django Channels."""

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.test import override_settings

from chanx.channels.testing import use_channel_layer
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.testing.attack_suite import AttackSuite
from chanx.testing.failure_suite import FailureSuite
from chanx.testing.group_suite import GroupSuite
from chanx.testing.hook_suite import HookSuite
from chanx.testing.integration import IntegrationSuite
from chanx.testing.logging_suite import LoggingSuite
from chanx.testing.loss_suite import LossSuite
from chanx.testing.process_layer_suite import ProcessLayerSuite
from chanx.testing.redis_suite import Kind, RedisSuite
from chanx.testing.silence_suite import SilenceSuite
from chanx.testing.suite import Suite


class OnChannels(Suite):
    """Channels' in-memory layer."""

    base = AsyncJsonWebsocketConsumer

    @pytest.fixture
    def layer(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Make the configured layer anew for one test."""
        layer = channel_layers.make_backend("default")
        monkeypatch.setitem(channel_layers.backends, "default", layer)
        return layer


class TestIntegration(OnChannels, IntegrationSuite):
    """What every integration does."""


class TestGroups(OnChannels, GroupSuite):
    """Groups and what reaches their members."""


class TestFailures(OnChannels, FailureSuite):
    """What goes wrong."""


class TestHooks(OnChannels, HookSuite):
    """Hooks and options."""


class TestLogging(OnChannels, LoggingSuite):
    """What is logged."""


class TestAttacks(OnChannels, AttackSuite):
    """What careless code and hostile clients must not be able to do."""


class TestLosses(OnChannels, LossSuite):
    """What a channel layer loses."""


class TestProcessLayer(OnChannels, ProcessLayerSuite):
    """No channel layer is configured."""

    @pytest.fixture
    def layer(self, process_layer: Any) -> Iterator[Any]:
        """Empty `CHANNEL_LAYERS`."""
        with override_settings(CHANNEL_LAYERS={}):
            yield process_layer


class TestSilence(OnChannels, SilenceSuite):
    """What a test may conclude from silence."""

    @pytest.fixture(params=[InMemoryChannelLayer, RedisPubSubChannelLayer, RedisChannelLayer])
    async def layer(self, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
        """Make a layer of each kind for one test."""
        if request.param is InMemoryChannelLayer:
            layer: Any = InMemoryChannelLayer()
        else:
            layer = request.param(hosts=[request.getfixturevalue("valkey_url")])
        with use_channel_layer(layer):
            yield layer


class TestRedis(RedisSuite):
    """Layers of channels_redis."""

    base = AsyncJsonWebsocketConsumer
    setting = "CHANNEL_LAYERS['default']"

    @contextmanager
    def registered(self, kind: Kind, url: str) -> Generator[Any]:
        """Register the layer for one test."""
        make: Any = RedisChannelLayer if kind == "queue" else RedisPubSubChannelLayer
        layer = make(hosts=[url])
        with use_channel_layer(layer):
            yield layer
