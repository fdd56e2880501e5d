"""What is said about a channel layer."""

from typing import Any

import pytest

from chanx.core.websocket import ChanxWebsocketConsumerMixin


class Consumer(ChanxWebsocketConsumerMixin[Any]):
    """Has a layer, which is only talked about."""


class QueueLayer:
    """Keeps its hosts as the queue layers on Redis do."""

    def __init__(self, hosts: list[Any] | None) -> None:
        self.hosts = hosts


class PubSubLayer:
    """Keeps its arguments as the publish/subscribe layers on Redis do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._args = args
        self._kwargs = kwargs


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("redis://ada:secret@redis.example:6380/1?password=secret", "redis.example:6380"),
        (b"rediss://:secret@redis.example", "redis.example:6379"),
        ("redis://[::1]:6380", "::1:6380"),
        ("unix:///run/redis.sock?password=secret", "/run/redis.sock"),
        (("redis.example", 6380), "redis.example:6380"),
        ({"address": "redis://:secret@redis.example"}, "redis.example:6379"),
        ({"host": "redis.example", "password": "secret"}, "redis.example:6379"),
        ({"path": "/run/redis.sock", "password": "secret"}, "/run/redis.sock"),
        (
            {"master_name": "main", "sentinels": [("a", 1), ("b", 2)], "password": "secret"},
            "main of a:1, b:2",
        ),
    ],
    ids=str,
)
def test_address_of_a_layer(host: Any, address: str) -> None:
    """However it is written, and without the password."""
    said = f"channel layer 'default' (QueueLayer at {address})"
    assert Consumer.spec.layer.describe(QueueLayer([host])) == said
    for layer in (PubSubLayer([host]), PubSubLayer(hosts=[host])):
        assert Consumer.spec.layer.describe(layer) == said.replace("Queue", "PubSub")


def test_addresses_of_several_hosts() -> None:
    hosts = ["redis://a", "redis://b:1"]
    assert "(QueueLayer at a:6379, b:1)" in Consumer.spec.layer.describe(QueueLayer(hosts))


def test_default_address() -> None:
    assert "(PubSubLayer at localhost:6379)" in Consumer.spec.layer.describe(PubSubLayer())


@pytest.mark.parametrize(
    "layer", [QueueLayer(None), QueueLayer(["redis://ada:sec/ret@redis.example"]), object()]
)
def test_layer_without_an_address(layer: Any) -> None:
    """One in memory, or one whose address cannot be read: no part of it is shown."""
    name = type(layer).__name__
    assert Consumer.spec.layer.describe(layer) == f"channel layer 'default' ({name})"
