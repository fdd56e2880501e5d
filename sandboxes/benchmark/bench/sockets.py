"""Echo over real sockets: uvicorn on uvloop, one client with 64 messages under way."""

from .lab import Lab, Series
from .peers import (
    BY_HAND,
    CHANNELS,
    EXISTING,
    EXISTING_DJANGO,
    FAST_CHANNELS,
    LIMIT,
    LITESTAR,
    OURS,
    OURS_DJANGO,
)
from .table import Bar, Row, compared

__all__ = ["TITLE", "run"]

TITLE = "Echo over sockets: uvicorn on uvloop, one client, 64 messages under way, no compression"

PEERS = (
    EXISTING,
    OURS,
    FAST_CHANNELS,
    BY_HAND,
    LITESTAR,
    LIMIT,
    EXISTING_DJANGO,
    OURS_DJANGO,
    CHANNELS,
)
CPU = "CPU of the server per message"


def run(lab: Lab) -> list[Row]:
    """Measure and compare; each peer gets a fresh server in each round."""
    series = Series()
    count = 2_000 if lab.quick else 8_000
    for _ in lab.rounds(5):
        for peer in PEERS:
            with lab.server(peer, layer=True) as port, lab.client(port) as client:
                series.add(CPU, peer, client.ask("echo", count=count, window=64))
    return compared(series, CPU, PEERS, "µs", {OURS: Bar(0.45), OURS_DJANGO: Bar(0.45)})
