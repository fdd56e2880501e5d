"""Creating consumer classes, each with ten message types of its own, in a fresh process."""

from dataclasses import replace

from .lab import Lab, Series
from .peers import EXISTING, EXISTING_DJANGO, LIMIT, OURS, OURS_DJANGO
from .table import Bar, Row, compared

__all__ = ["TITLE", "run"]

TITLE = "Creating consumer classes, each with ten message types and a payload type of its own"

PEERS = (EXISTING, OURS, EXISTING_DJANGO, OURS_DJANGO, LIMIT)
HALF = {OURS: Bar(0.5), OURS_DJANGO: Bar(0.5)}
LINEAR = Bar(1.3)


def run(lab: Lab) -> list[Row]:
    """Measure and compare."""
    series = Series()
    counts = (10, 100) if lab.quick else (10, 100, 500)
    for _ in lab.rounds(3):
        for count in counts:
            for peer in PEERS:
                with lab.worker(peer) as worker:
                    spent = worker.ask("create", count=count)
                series.add(created(count), peer, spent["created"] * 1e3)
                series.add(used(count), peer, spent["used"] * 1e3)
    return [
        *(row for count in counts for row in rows(series, count)),
        *linear_rows(series, counts[-2], counts[-1]),
    ]


def created(count: int) -> str:
    """Name a measure."""
    return f"{count} classes"


def used(count: int) -> str:
    """Name a measure."""
    return f"{count} classes, and one message to each"


def rows(series: Series, count: int) -> list[Row]:
    """Compare the peers."""
    peers = PEERS[:-1]
    return [
        *compared(series, created(count), peers, "ms", HALF),
        models_row(series, count),
        *compared(series, used(count), peers, "ms"),
    ]


def models_row(series: Series, count: int) -> Row:
    """Show what the pydantic models alone take, which everybody needs."""
    (row,) = compared(series, created(count), [LIMIT], "ms")
    return replace(row, who="the pydantic models alone")


def linear_rows(series: Series, few: int, many: int) -> list[Row]:
    """Compare the cost of one class among many with that of one among few."""
    return [
        Row(
            what=f"one class among {many}",
            who=peer.title,
            figure=series.median(created(many), peer) / many,
            unit="ms",
            ratio=series.ratio(created(many), peer, created(few), peer) * few / many,
            to=f"one among {few}",
            bar=LINEAR if peer in HALF else None,
        )
        for peer in PEERS[:-1]
    ]
