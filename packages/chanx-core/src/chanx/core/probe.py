"""How a test reaches the connections behind an ASGI application, through any middleware."""

from collections.abc import Callable
from typing import Final, Protocol

from chanx.core import _guard as _guard

__all__ = ["PROBE_KEY", "Probe", "ProbedConnection"]


class ProbedConnection(Protocol):
    """What a test may ask a connection."""

    @property
    def is_idle(self) -> bool:
        """True while the connection is open, and nothing of it runs, waits or is being written."""
        ...


# What a test puts into the ASGI scope: every connection that is served with this scope calls it.
Probe = Callable[[ProbedConnection], None]

PROBE_KEY: Final = "chanx.probe"
