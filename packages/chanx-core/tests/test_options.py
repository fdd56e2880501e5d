"""Where the value of an option comes from."""

from typing import Any, ClassVar

import pytest

from chanx.core.config import Config, config
from chanx.core.limits import Limits
from chanx.core.websocket import ChanxWebsocketConsumerMixin


class Consumer(ChanxWebsocketConsumerMixin[Any]):
    """A consumer that sets nothing."""


def test_defaults() -> None:
    """The documented defaults, with nothing set anywhere."""
    assert Consumer.send_completion is False
    assert Consumer.send_message_immediately is True
    assert Consumer.log_websocket_message is False
    assert list(Consumer.log_ignored_actions) == []
    assert Consumer.camelize is False
    assert Consumer.discriminator_field == "action"
    assert Consumer.channel_layer_alias == "default"
    assert Consumer.limits == Limits()
    assert (Consumer.max_message_bytes, Consumer.max_in_flight, Consumer.max_pending) == (
        65536,
        16,
        32,
    )
    assert (config.camelize, config.discriminator_field) == (False, "action")


def test_class_wins_over_limits_over_integration() -> None:
    """An attribute of the class, then its `limits`, then the integration's settings."""

    class Settings(Config):
        send_completion = True
        limits = Limits(max_pending=7, max_in_flight=7)

    class Integrated(Consumer):
        config: ClassVar[Config] = Settings()

    class Limited(Integrated):
        limits = Limits(max_pending=8)
        send_completion = False

    class Explicit(Limited):
        max_pending = 9

    assert (Integrated.send_completion, Integrated.max_pending, Integrated.max_in_flight) == (
        True,
        7,
        7,
    )
    assert (Limited.send_completion, Limited.max_pending, Limited.max_in_flight) == (False, 8, 16)
    assert (Explicit.max_pending, Explicit().max_pending) == (9, 9)
    assert Consumer.max_pending == 32


def test_instance_wins_over_class() -> None:
    """One connection may differ from the others."""
    consumer = Consumer()
    consumer.camelize = True
    consumer.send_completion = True
    assert consumer.should_camelize
    assert consumer.should_send_completion
    assert not Consumer().should_camelize


def test_settings_are_read_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sampled when a class is created."""
    monkeypatch.setattr(config, "send_completion", True, raising=False)
    assert Consumer.send_completion is True
    monkeypatch.setattr(config, "limits", Limits(max_pending=1), raising=False)
    assert Consumer.max_pending == 1


def test_ignored_actions_include_completions() -> None:
    """Completions are never logged."""

    class Quiet(Consumer):
        log_ignored_actions = ("ping",)

    assert Quiet().all_log_ignored_actions == {
        "ping",
        "complete",
        "event_complete",
        "group_complete",
    }


def test_limits_are_frozen() -> None:
    """One object may be shared by many classes."""
    with pytest.raises(AttributeError):
        Limits().max_pending = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
