"""Where the value of an option comes from."""

from typing import Any, cast

import pytest

from chanx.core.config import Config, config
from chanx.core.integration import Integration
from chanx.core.limits import Limits
from chanx.core.websocket import ChanxWebsocketConsumerMixin


class Consumer(ChanxWebsocketConsumerMixin[Any]):
    """A consumer that sets nothing."""


def integration(settings: Config) -> Integration:
    """Make an integration with these settings."""
    made = Integration()
    made.config = settings
    return made


def test_defaults() -> None:
    """The documented defaults, with nothing set anywhere."""
    assert Consumer.send_completion is False
    assert Consumer.send_message_immediately is True
    assert Consumer.log_websocket_message is False
    assert list(Consumer.log_ignored_actions) == []
    assert Consumer.camelize is False
    assert Consumer.discriminator_field == "action"
    assert cast(Any, Consumer).channel_layer_alias == "default"
    assert Consumer.limits == Limits()
    assert (Consumer.max_message_bytes, Consumer.max_in_flight, Consumer.max_pending) == (
        65536,
        16,
        32,
    )
    assert (config.camelize, config.discriminator_field) == (False, "action")


def test_class_wins_over_integration() -> None:
    """An attribute of the class, else the integration's settings."""

    class Settings(Config):
        send_completion = True

    class Integrated(Consumer):
        _integration = integration(Settings())

    class Explicit(Integrated):
        send_completion = False

    assert (Integrated.send_completion, Explicit.send_completion) == (True, False)


def test_limits_set_several_bounds_at_once() -> None:
    """A bound of its own wins over the `limits` of the same class; the nearest class wins."""

    class Integrated(Consumer):
        limits = Limits(max_pending=7, max_in_flight=7)

    class Limited(Integrated):
        limits = Limits(max_pending=8)

    class Explicit(Limited):
        max_pending = 9

    class Both(Consumer):
        limits = Limits(max_pending=5, max_in_flight=5)
        max_pending = 6

    assert (Integrated.max_pending, Integrated.max_in_flight) == (7, 7)
    assert (Limited.max_pending, Limited.max_in_flight) == (8, 16)
    assert (Explicit.max_pending, Explicit().max_in_flight) == (9, 16)
    assert (Both.max_pending, Both.max_in_flight) == (6, 5)
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


def test_limits_of_an_integration() -> None:
    """Bounds that no class sets are those of the integration, at the time they are read."""

    class Settings(Config):
        limits = Limits(max_pending=7)

    settings = Settings()

    class Integrated(Consumer):
        _integration = integration(settings)

    class Explicit(Integrated):
        max_pending = 8

    assert (Integrated.max_pending, Integrated().max_pending, Explicit.max_pending) == (7, 7, 8)
    settings.limits = Limits(max_pending=9)
    assert (Integrated.max_pending, Explicit.max_pending, Consumer.max_pending) == (9, 8, 32)
    assert Integrated.limits.max_pending == 9


def test_limits_are_frozen() -> None:
    """One object may be shared by many classes."""
    with pytest.raises(AttributeError):
        Limits().max_pending = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
