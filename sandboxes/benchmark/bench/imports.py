"""Importing, over pydantic and the framework."""

from .lab import Lab, Series
from .peers import EXISTING, EXISTING_DJANGO, OURS, OURS_DJANGO, Peer
from .table import Bar, Row, compared

__all__ = ["TITLE", "run"]

TITLE = "Importing what a consumer needs, over pydantic plus the framework: CPU time"

PEERS = (EXISTING, OURS, EXISTING_DJANGO, OURS_DJANGO)
IMPORT = "import"
BAR = Bar(350, of_figure=True)


def run(lab: Lab) -> list[Row]:
    """Measure and compare; the first time compiles and does not count."""
    series = Series()
    for peer in PEERS:
        seconds_of(lab, peer)
    for _ in lab.rounds(5, quick=2):
        for peer in PEERS:
            series.add(IMPORT, peer, seconds_of(lab, peer) * 1e3)
    return compared(series, IMPORT, PEERS, "ms", {OURS: BAR, OURS_DJANGO: BAR})


def seconds_of(lab: Lab, peer: Peer) -> float:
    """Import in a fresh process."""
    return float(lab.run(peer, "importing", *peer.framework, "-", *peer.library))
