"""How a test reaches the connections behind an ASGI application, through any middleware, and their channel layers."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from chanx.core._connection.open_connections import serving
from chanx.core._groups.hub import running_hubs
from chanx.core._telemetry.counters import counters
from chanx.core.layers import LayerTraits
from chanx.type_defs import ChannelLayer

__all__ = [
    "PROBE_KEY",
    "Probe",
    "ProbedConnection",
    "ProbedLayer",
    "probed_connections",
    "probed_layers",
    "received_from_layers",
]


class ProbedConnection(Protocol):
    """What a test may ask a connection."""

    @property
    def is_idle(self) -> bool:
        """True while the connection is open, and nothing of it runs, waits or is being written."""
        ...


class ProbedLayer(Protocol):
    """What a test may ask a channel layer that connections of the running loop use."""

    @property
    def layer(self) -> ChannelLayer:
        """The layer itself."""
        ...

    @property
    def traits(self) -> LayerTraits:
        """What the integration knows of it."""
        ...

    async def catch_up(self) -> None:
        """Wait until this process has received what was sent to its channels before.

        Raises what the layer raises, in a group.
        """
        ...


def probed_connections() -> Sequence[ProbedConnection]:
    """Return the connections that the running loop serves, until each has ended."""
    loop = asyncio.get_running_loop()
    return [connection for connection in serving() if connection.loop is loop]


def probed_layers() -> Sequence[ProbedLayer]:
    """Return the channel layers that connections of the running loop use."""
    return running_hubs()


def received_from_layers() -> int:
    """Return how many messages this process has received from channel layers."""
    return counters.layer_messages


# What a test puts into the ASGI scope: every connection that is served with this scope calls it.
Probe = Callable[[ProbedConnection], None]

PROBE_KEY: Final = "chanx.probe"
