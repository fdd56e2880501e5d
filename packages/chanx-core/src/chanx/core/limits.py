"""The bounds of one connection."""

from dataclasses import dataclass, fields
from typing import Literal

__all__ = ["DEFAULT_LIMITS", "LayerLossPolicy", "Limits", "OutboundPolicy"]

LayerLossPolicy = Literal["resync", "close"]
OutboundPolicy = Literal["close", "drop_oldest", "drop_newest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one connection may cost. Times are in seconds, sizes in bytes of UTF-8; None turns a bound off.

    A consumer class sets several at once as `limits = Limits(...)`, or one as an attribute of the same
    name, which wins over the `limits` of the same class.
    """

    max_message_bytes: int | None = 64 * 1024
    """A larger frame closes the connection with 1009."""
    max_json_depth: int = 64
    """Deeper nesting is answered by the error `too_deep`."""
    message_concurrency: int = 1
    """How many client messages of one connection are handled at once; 1 keeps them in order."""
    max_in_flight: int = 16
    """Handlers of client messages that run at once, the concurrent ones included."""
    max_pending: int = 32
    """Client messages that wait for their turn; then the socket is not read until there is room."""
    max_streams: int = 8
    """Streamed answers at once; another request for one is answered by the error `too_many_streams`."""
    stream_ahead: int = 16
    """Frames that wait for the client before the next item of a stream is asked for."""
    stream_stall_timeout: float = 60.0
    """A stream whose client gives no credit for so long ends with the error `stalled`."""
    max_requests: int = 16
    """Requests of the server that wait for an answer of the client."""
    max_topics: int = 128
    """Topics to which one connection may be subscribed; another is refused with `too_many_topics`."""
    event_queue: int = 256
    """Events and group messages that wait for their turn; then the outbound policy applies."""
    outbound_frames: int = 256
    """Frames that wait for a slow client; then a handler that sends another waits, and what comes from groups queues up
    in `event_queue`."""
    outbound_bytes: int = 1024 * 1024
    """Their size, limited likewise."""
    outbound_policy: OutboundPolicy = "close"
    """What happens when `event_queue` is full: close with 4008, or drop group messages and events and count them."""
    handler_timeout: float | None = None
    """A handler that takes longer is cancelled: a message is answered by the error `timeout`, an event is logged."""
    authentication_timeout: float | None = 10.0
    """An authenticator that takes longer closes the connection with 4408."""
    send_timeout: float | None = 10.0
    """A peer that does not take one frame within this time is closed with 4008."""
    heartbeat_interval: float | None = 25.0
    """How often clients that want one are sent a `heartbeat`, which finds those that have gone without a word."""
    disconnect_grace: float = 5.0
    """How long running handlers may go on after the connection ended, before they are cancelled."""
    shutdown_grace: float = 5.0
    """The same when the server shuts down."""
    layer_timeout: float = 2.0
    """How long one call of the channel layer may take."""
    layer_loss_policy: LayerLossPolicy = "resync"
    """What happens when the channel layer is back after it failed: `on_resync()` and a `resync` message, or a close
    with 1013, so that the client connects anew."""


DEFAULT_LIMITS = Limits()


def spread(limits: Limits, owner: type) -> None:
    """Set every bound as an attribute of the class, except those that the class sets itself."""
    for bound in fields(limits):
        if bound.name not in vars(owner):
            setattr(owner, bound.name, getattr(limits, bound.name))
