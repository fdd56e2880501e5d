"""The options and bounds of consumer classes: read where they are not set."""

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, ClassVar

from chanx.core.config import Config
from chanx.core.integration import Integration
from chanx.core.limits import LayerLossPolicy, Limits, OutboundPolicy

__all__ = ["ConsumerOptions"]


class ConsumerOptions(Config):
    """What a consumer class or instance may set; unset, it comes from the integration when it is used."""

    # Set by the consumer base class of each framework.
    _integration: ClassVar[Integration]

    # Bounds, as in Limits; a class may set each alone, or several at once as `limits`.
    max_message_bytes: int | None
    max_json_depth: int
    message_concurrency: int
    max_in_flight: int
    max_pending: int
    max_streams: int
    stream_ahead: int
    stream_stall_timeout: float
    max_requests: int
    max_topics: int
    event_queue: int
    outbound_frames: int
    outbound_bytes: int
    outbound_policy: OutboundPolicy
    handler_timeout: float | None
    authentication_timeout: float | None
    send_timeout: float | None
    heartbeat_interval: float | None
    disconnect_grace: float
    shutdown_grace: float
    layer_timeout: float
    layer_loss_policy: LayerLossPolicy


class _Unset:
    """Stands where nothing is set: reads the integration's value."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[type], Any]) -> None:
        self._read = read

    def __get__(self, instance: object, owner: type) -> Any:
        """Return the value; never called where the class or instance has its own."""
        return self._read(owner)


# In one step: each connection reads many.
for _option in Config.__annotations__:
    setattr(ConsumerOptions, _option, _Unset(attrgetter(f"_integration.config.{_option}")))
for _bound in fields(Limits):
    _path = f"_integration.config.limits.{_bound.name}"
    setattr(ConsumerOptions, _bound.name, _Unset(attrgetter(_path)))
