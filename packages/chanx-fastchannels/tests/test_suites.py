"""The suites of every integration, on fast-channels."""

from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from typing import Any

import pytest
from fast_channels.layers import (
    InMemoryChannelLayer,
    register_channel_layer,
    unregister_channel_layer,
)

from chanx.fast_channels.layers import memory_layer, pubsub_layer, queue_layer
from chanx.fast_channels.testing import use_channel_layer
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
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


class OnFastChannels(Suite):
    """fast-channels' in-memory layer."""

    base = AsyncJsonWebsocketConsumer

    @pytest.fixture
    async def layer(self) -> AsyncIterator[Any]:
        """Register the layer for one test."""
        layer = InMemoryChannelLayer()
        register_channel_layer("default", layer)
        yield layer
        unregister_channel_layer("default")


class TestIntegration(OnFastChannels, IntegrationSuite):
    """What every integration does."""


class TestGroups(OnFastChannels, GroupSuite):
    """Groups and what reaches their members."""


class TestFailures(OnFastChannels, FailureSuite):
    """What goes wrong."""


class TestHooks(OnFastChannels, HookSuite):
    """Hooks and options."""


class TestLogging(OnFastChannels, LoggingSuite):
    """What is logged."""


class TestAttacks(OnFastChannels, AttackSuite):
    """What careless code and hostile clients must not be able to do."""


class TestLosses(OnFastChannels, LossSuite):
    """What a channel layer loses."""


class TestProcessLayer(OnFastChannels, ProcessLayerSuite):
    """No channel layer is registered."""

    @pytest.fixture
    def layer(self, process_layer: Any) -> Any:
        """Register nothing."""
        return process_layer


class TestSilence(OnFastChannels, SilenceSuite):
    """What a test may conclude from silence."""

    @pytest.fixture(params=["memory", "pubsub", "queue"])
    async def layer(self, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
        """Register a layer of each kind for one test."""
        if request.param == "memory":
            layer: Any = memory_layer()
        else:
            url = request.getfixturevalue("valkey_url")
            layer = pubsub_layer(url) if request.param == "pubsub" else queue_layer(url)
        with use_channel_layer(layer):
            yield layer


class TestRedis(RedisSuite):
    """Layers on Redis."""

    base = AsyncJsonWebsocketConsumer
    setting = "channel layer 'default' of register_layers()"

    @contextmanager
    def registered(self, kind: Kind, url: str) -> Generator[Any]:
        """Register the layer for one test."""
        layer = queue_layer(url) if kind == "queue" else pubsub_layer(url)
        with use_channel_layer(layer):
            yield layer
