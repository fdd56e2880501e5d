"""What the close codes of a channel mean: the extension `x-close-codes`."""

from typing import Literal, NamedTuple, Self

from chanx.asyncapi.routes import Consumer
from chanx.constants import (
    CLOSE_AUTHENTICATION_FAILED,
    CLOSE_AUTHENTICATION_TIMEOUT,
    CLOSE_GOING_AWAY,
    CLOSE_INTERNAL_ERROR,
    CLOSE_LAYER_UNAVAILABLE,
    CLOSE_SERVICE_RESTART,
    CLOSE_SLOW_CONSUMER,
    CLOSE_TOO_LARGE,
    CLOSE_UNAUTHENTICATED,
)
from chanx.type_defs import JSONObject

__all__ = ["CLOSE_CODES", "HEARTBEAT_INTERVAL", "RETRIES", "Endings", "Retry", "close_codes"]

CLOSE_CODES = "x-close-codes"
"""The key inside a channel."""
HEARTBEAT_INTERVAL = "x-heartbeat-interval"
"""The key inside a channel: seconds between heartbeats for clients that ask for them."""

Retry = Literal["stop", "again", "after_refresh", "backoff"]
RETRIES: tuple[Retry, ...] = ("stop", "again", "after_refresh", "backoff")

_NORMAL = 1000
# daphne sends these codes 3000 higher.
_PRIVATE = 3000


class _Meaning(NamedTuple):
    retry: Retry
    text: str


_ALWAYS = {
    _NORMAL: _Meaning("stop", "Closed on purpose"),
    CLOSE_GOING_AWAY: _Meaning("again", "The server stops"),
    CLOSE_INTERNAL_ERROR: _Meaning("backoff", "Something failed in the server"),
    CLOSE_SERVICE_RESTART: _Meaning("again", "The server restarts"),
    CLOSE_LAYER_UNAVAILABLE: _Meaning("backoff", "The channel layer cannot be reached"),
}
_TOO_LARGE = {CLOSE_TOO_LARGE: _Meaning("backoff", "A frame was too large")}
_SLOW = {CLOSE_SLOW_CONSUMER: _Meaning("again", "The client did not read fast enough")}
_AUTHENTICATION = {
    CLOSE_UNAUTHENTICATED: _Meaning("after_refresh", "Not authenticated"),
    4403: _Meaning("stop", "Not allowed"),
    4404: _Meaning("stop", "Not found"),
    CLOSE_AUTHENTICATION_TIMEOUT: _Meaning("again", "Authenticating took too long"),
    CLOSE_AUTHENTICATION_FAILED: _Meaning("backoff", "Authenticating failed in the server"),
}


class Endings(NamedTuple):
    """Which close codes a class can send beyond those that each can."""

    limits_size: bool
    limits_pace: bool
    authenticates: bool

    @classmethod
    def of(cls, consumer: Consumer) -> Self:
        """Look at the options of a consumer now."""
        authenticator = consumer.authenticator_class or consumer.authenticator
        return cls(
            limits_size=consumer.max_message_bytes is not None,
            limits_pace=consumer.outbound_policy == "close" or consumer.send_timeout is not None,
            authenticates=authenticator is not None,
        )


def close_codes(endings: Endings) -> JSONObject:
    """Return what clients should do after each close code, by the code."""
    known = dict(_ALWAYS)
    for can_be_sent, codes in zip(endings, (_TOO_LARGE, _SLOW, _AUTHENTICATION), strict=True):
        known |= codes if can_be_sent else {}
    private = {
        code + _PRIVATE: meaning for code, meaning in known.items() if _NORMAL < code < _PRIVATE
    }
    return {
        str(code): {"retry": meaning.retry, "meaning": meaning.text}
        for code, meaning in sorted({**known, **private}.items())
    }
