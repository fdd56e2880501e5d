"""How the process is doing, in numbers that anybody may expose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chanx.core._connection.open_connections import serving
from chanx.core._groups.hub import open_groups
from chanx.core._ports import OpenConnection
from chanx.core._telemetry.counters import counters

__all__ = ["LayerState", "Snapshot", "snapshot"]

LayerState = Literal["up", "down"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The numbers of one process: of this moment, or counted since its start."""

    connections: int
    """WebSockets being served now."""
    groups: int
    """Groups that have members in this process now."""
    in_flight: int
    """Handlers that run now, of client messages and of events."""
    streams: int
    """Streams that run now; `in_flight` counts them, too."""
    queued_frames: int
    """What waits now for a slow peer, or behind an event that is being handled."""
    dropped: Mapping[str, int]
    """Messages that did not reach their client, by reason: `slow_consumer` where too much waited, `send_timeout` where
    the peer did not take a frame in time, `layer` where the channel layer lost one of a group. Since the start."""
    layer_state: Mapping[str, LayerState]
    """By alias, whether the channel layer answers; those that no connection uses now are not watched."""
    local_layers: tuple[str, ...] = ()
    """The aliases among them whose layer lives in this process: no other process is reached through it."""
    layer_messages: int
    """Messages that channel layers brought. Since the start."""
    encodings: int
    """Group messages that were written as frames, once for all members whose frame is the same. Since the start."""
    hints_lost: int
    """Events with a history that a channel layer did not take: they arrive a moment later. Since the start."""
    outages: int
    """Times that a channel layer failed. Since the start."""


def snapshot() -> Snapshot:
    """Return the numbers of this process, all event loops together. Any thread may ask; it looks at each connection."""
    connections = serving()
    layer_state, local_layers = _layers(connections)
    return Snapshot(
        connections=len(connections),
        groups=open_groups(),
        in_flight=sum(connection.in_flight for connection in connections),
        streams=sum(connection.streams for connection in connections),
        queued_frames=sum(connection.queued for connection in connections),
        dropped=dict(counters.dropped),
        layer_state=layer_state,
        local_layers=local_layers,
        layer_messages=counters.layer_messages,
        encodings=counters.encodings,
        hints_lost=counters.hints_lost,
        outages=counters.outages,
    )


def _layers(connections: list[OpenConnection]) -> tuple[dict[str, LayerState], tuple[str, ...]]:
    """Return the state of each layer in use, and which of them live in this process."""
    state: dict[str, LayerState] = {}
    local: set[str] = set()
    for connection in connections:
        alias = connection.consumer.spec.layer.alias
        subscriber = connection.subscriber
        if alias is None or subscriber is None or state.get(alias) == "down":
            continue
        state[alias] = "down" if subscriber.layer_is_down else "up"
        if subscriber.layer_is_local:
            local.add(alias)
    return state, tuple(sorted(local))
