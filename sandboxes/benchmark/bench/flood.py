"""A client that sends 100,000 messages to a handler that waits, or large invalid ones, and what another sees of it."""

from typing import Any

from .lab import Lab, Series
from .peers import EXISTING, EXISTING_DJANGO, OURS, OURS_DJANGO, Peer
from .table import Bar, Row

__all__ = ["TITLE", "run"]

TITLE = "100,000 messages at once to a handler that waits; uvicorn on uvloop"

PEERS = (EXISTING, OURS, EXISTING_DJANGO, OURS_DJANGO)
FRAMES = 100_000
SENT = "messages that could be sent"
TASKS = "tasks more (16 may be in flight)"
MEMORY = "memory more"
PING = "p99 of another connection's round trip"
LONGEST = "longest round trip"
AT_REST = "p99 of a round trip at rest"
INVALID = "the same under 64 KiB messages with errors of a union in each item"
BARS = {
    TASKS: Bar(16, of_figure=True),
    MEMORY: Bar(20, of_figure=True),
    PING: Bar(50, of_figure=True),
}
UNITS = {MEMORY: "MB", PING: "ms", LONGEST: "ms"}
# Of the round trip at rest.
UNFAIR = Bar(10)


def run(lab: Lab) -> list[Row]:
    """Measure and compare."""
    series = Series()
    for _ in lab.rounds(2):
        for peer in PEERS:
            for measured, value in flooded(lab, peer).items():
                series.add(measured, peer, value)
            at_rest, under_fire = attacked(lab, peer)
            series.add(AT_REST, peer, at_rest)
            series.add(INVALID, peer, under_fire)
    measures = (SENT, TASKS, MEMORY, PING, LONGEST)
    rows = [row(series, measured, peer) for measured in measures for peer in PEERS]
    return rows + [fairness(series, peer) for peer in PEERS]


def attacked(lab: Lab, peer: Peer) -> tuple[float, float]:
    """Return another connection's p99 at rest, and while a client sends large invalid messages."""
    seconds = 3 if lab.quick else 5
    with (
        lab.server(peer, waiting=True) as port,
        lab.client(port) as victim,
        lab.client(port) as flooder,
    ):
        at_rest = victim.ask("ping", seconds=seconds)
        flooder.start("flood", count=FRAMES, seconds=seconds + 1, invalid=True)
        under_fire = victim.ask("ping", seconds=seconds)
        flooder.result()
        return at_rest["p99"], under_fire["p99"]


def fairness(series: Series, peer: Peer) -> Row:
    """Report what large invalid messages do to others; the bar is for us."""
    return Row(
        INVALID,
        peer.title,
        series.median(INVALID, peer),
        "ms",
        ratio=series.ratio(INVALID, peer, AT_REST, peer),
        to="at rest",
        bar=UNFAIR if peer in (OURS, OURS_DJANGO) else None,
    )


def flooded(lab: Lab, peer: Peer) -> dict[str, float]:
    """Flood a fresh server and watch it from another connection."""
    seconds = 3 if lab.quick else 10
    with (
        lab.server(peer, waiting=True) as port,
        lab.client(port) as victim,
        lab.client(port) as flooder,
    ):
        before = victim.ask("ping", seconds=0.5)
        flooder.start("flood", count=FRAMES, seconds=seconds)
        during = victim.ask("ping", seconds=seconds)
        return result(before, during, flooder.result())


def result(before: dict[str, Any], during: dict[str, Any], sent: int) -> dict[str, float]:
    """Compare what was seen before and during the flood."""
    return {
        SENT: sent,
        TASKS: during["tasks"] - before["tasks"],
        MEMORY: (during["rss"] - before["rss"]) / 1e6,
        PING: during["p99"],
        LONGEST: during["longest"],
    }


def row(series: Series, measured: str, peer: Peer) -> Row:
    """Report one figure; bars are for us."""
    bar = BARS.get(measured) if peer in (OURS, OURS_DJANGO) else None
    return Row(
        measured, peer.title, series.median(measured, peer), UNITS.get(measured, ""), bar=bar
    )
