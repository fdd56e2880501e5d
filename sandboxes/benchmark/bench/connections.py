"""Connections in process: how fast they come and go, and what an idle one keeps."""

from contextlib import ExitStack

from .lab import Lab, Series
from .peers import (
    BY_HAND,
    CHANNELS,
    EXISTING,
    EXISTING_DJANGO,
    FAST_CHANNELS,
    LIMIT,
    OURS,
    OURS_DJANGO,
    Peer,
)
from .table import Bar, Row, compared

__all__ = ["TITLE", "run"]

TITLE = "Connections, in process"

LAYERED = (EXISTING, OURS, FAST_CHANNELS, EXISTING_DJANGO, OURS_DJANGO, CHANNELS)
PEERS = (*LAYERED, BY_HAND, LIMIT)
RATE = "opened and closed in a second of CPU time"
HEAP = "heap of an idle connection"
TASKS = "tasks of an idle connection"


def run(lab: Lab) -> list[Row]:
    """Measure and compare."""
    series = Series()
    for layer in (False, True):
        measure(lab, series, layer)
    return [row for layer in (False, True) for row in rows(series, layer)]


def measure(lab: Lab, series: Series, layer: bool) -> None:
    """Measure all peers with or without an in-memory channel layer."""
    peers = LAYERED if layer else PEERS
    with ExitStack() as stack:
        workers = {peer: stack.enter_context(lab.worker(peer, layer=layer)) for peer in peers}
        for _ in lab.rounds(5, quick=2):
            for peer, worker in workers.items():
                rate = worker.ask("connect", seconds=0.1 if lab.quick else 0.4)
                series.add(name(RATE, layer), peer, rate)
        for peer, worker in workers.items():
            kept = worker.ask("idle", count=200)
            series.add(name(HEAP, layer), peer, kept["bytes"] / 1000)
            series.add(name(TASKS, layer), peer, kept["tasks"])


def name(measured: str, layer: bool) -> str:
    """Name a measure."""
    return f"{measured}, {'with' if layer else 'without'} a layer"


def rows(series: Series, layer: bool) -> list[Row]:
    """Compare the peers."""
    peers = LAYERED if layer else PEERS
    return [
        *compared(series, name(RATE, layer), peers, "", ours(Bar(2.0, at_least=True))),
        *compared(series, name(HEAP, layer), peers, "kB", ours(Bar(12, of_figure=True))),
        *compared(
            series, name(TASKS, layer), peers, "", ours(Bar(2 if layer else 1, of_figure=True))
        ),
    ]


def ours(bar: Bar) -> dict[Peer, Bar]:
    """Set one bar for both integrations."""
    return {OURS: bar, OURS_DJANGO: bar}
