"""Action names, limits of names and close codes that are part of the wire format."""

from typing import Final, Literal

from chanx.core import _guard as _guard

__all__ = [
    "CHANX_ACTIONS",
    "CLOSE_AUTHENTICATION_FAILED",
    "CLOSE_AUTHENTICATION_TIMEOUT",
    "CLOSE_GOING_AWAY",
    "CLOSE_INTERNAL_ERROR",
    "CLOSE_LAYER_UNAVAILABLE",
    "CLOSE_SERVICE_RESTART",
    "CLOSE_SLOW_CONSUMER",
    "CLOSE_TOO_LARGE",
    "CLOSE_UNAUTHENTICATED",
    "COMPLETE_ACTIONS",
    "COMPLETE_ACTIONS_TYPE",
    "ENVELOPE_FIELDS",
    "ENVELOPE_VERSION",
    "EVENT_ACTION_COMPLETE",
    "GROUP_ACTION_COMPLETE",
    "MAX_GROUP_NAME_LENGTH",
    "MAX_REF_LENGTH",
    "MAX_TOPIC_LENGTH",
    "MAX_WINDOW",
    "MESSAGE_ACTION_COMPLETE",
    "TOPIC_EVENT_TYPE",
]

MESSAGE_ACTION_COMPLETE: Final = "complete"
EVENT_ACTION_COMPLETE: Final = "event_complete"
GROUP_ACTION_COMPLETE: Final = "group_complete"

COMPLETE_ACTIONS_TYPE = Literal["complete", "event_complete", "group_complete"]
COMPLETE_ACTIONS: Final[frozenset[str]] = frozenset(
    {MESSAGE_ACTION_COMPLETE, EVENT_ACTION_COMPLETE, GROUP_ACTION_COMPLETE}
)
CHANX_ACTIONS: Final[frozenset[str]] = COMPLETE_ACTIONS | {"error"}

ENVELOPE_FIELDS: Final[frozenset[str]] = frozenset({"version", "topic", "ref", "seq"})
ENVELOPE_VERSION: Final = 1

# Characters of a client's reference.
MAX_REF_LENGTH: Final = 64

# The layer's type of an event that goes to the subscribers of a topic.
TOPIC_EVENT_TYPE: Final = "handle_topic_event"

# Characters of a topic's name.
MAX_TOPIC_LENGTH: Final = 256

# Items of an answer that a client may say it can take at once.
MAX_WINDOW: Final = 1024

# One less than the shortest limit among the channel layers (100, exclusive).
MAX_GROUP_NAME_LENGTH: Final = 99

# RFC 6455, section 7.4.1 and the IANA registry. A server that refuses them (daphne) sends 3000 more: 4009, 4011, ...
CLOSE_GOING_AWAY: Final = 1001
CLOSE_TOO_LARGE: Final = 1009
CLOSE_INTERNAL_ERROR: Final = 1011
CLOSE_SERVICE_RESTART: Final = 1012
CLOSE_LAYER_UNAVAILABLE: Final = 1013

# Private use: 4000 + the HTTP status that says the same.
CLOSE_SLOW_CONSUMER: Final = 4008
CLOSE_UNAUTHENTICATED: Final = 4401
CLOSE_AUTHENTICATION_TIMEOUT: Final = 4408
CLOSE_AUTHENTICATION_FAILED: Final = 4500
