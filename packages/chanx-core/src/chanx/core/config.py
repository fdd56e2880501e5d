"""Defaults of the options that consumer classes may set."""

from collections.abc import Collection

from chanx.core.limits import DEFAULT_LIMITS, Limits
from chanx.core.origin import OriginPolicy, same_host

__all__ = ["Config", "config"]


class Config:
    """The value of every option that a consumer class leaves unset.

    An integration hands its own to its consumer base class (`config = ...`), so that consumers of two frameworks in one
    process each see their own. Attributes are read when they are used, never sampled at import.
    """

    send_completion: bool = False
    """Send a completion message after each handled client message, group message and event."""
    send_message_immediately: bool = True
    """Send each message at once; otherwise what one client message produces leaves together at its end."""
    send_authentication_message: bool = True
    """Tell the client the outcome of its authentication."""
    send_resync_message: bool = True
    """Tell the client when messages of its groups may have been lost."""
    send_heartbeat: bool = False
    """Send a `heartbeat` at each `heartbeat_interval` to all clients, not only to those that ask by `?heartbeat=1`."""
    log_websocket_message: bool = False
    """Log received and sent messages."""
    log_ignored_actions: Collection[str] = ()
    """Actions that are never logged."""
    camelize: bool = False
    """Translate the names of model fields to camel case on the wire."""
    camelize_dicts: bool = False
    """Translate keys of dictionaries too, where `camelize` is on. Keys that are data, such as ids, may change."""
    discriminator_field: str = "action"
    """JSON key under which `action` travels."""
    group_message_metadata: bool = True
    """Send `is_current` with group messages."""
    authenticate_before_accept: bool = False
    """Deny with HTTP 403 instead of accepting first and closing with a code that the client can read."""
    allowed_origins: OriginPolicy = staticmethod(same_host)
    """Which browser origins may connect."""
    limits: Limits = DEFAULT_LIMITS
    """What one connection may cost."""


config: Config = Config()
