"""Echo of a typed message, in process: one at a time, and with 64 under way; logging and camel case on ours."""

from contextlib import ExitStack

from .lab import Lab, Process, Series
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
    Peer,
    baseline,
)
from .table import Bar, Row, compared

__all__ = ["TITLE", "run"]

TITLE = "Echo of a typed message, ten message types, one connection, in process: CPU per message"

ON_FAST_CHANNELS = (EXISTING, OURS, FAST_CHANNELS, BY_HAND, LITESTAR, LIMIT)
ON_CHANNELS = (EXISTING_DJANGO, OURS_DJANGO, CHANNELS)
WINDOWS = {"one at a time": 1, "64 under way": 64}
BARS = {
    "one at a time": {OURS: Bar(0.33, aim=0.25), OURS_DJANGO: Bar(0.30)},
    "64 under way": {OURS: Bar(0.20, aim=0.14), OURS_DJANGO: Bar(0.30)},
}
WARNING = 30  # a level that hides the records of messages

VARIANTS: dict[str, dict[str, bool | int]] = {
    "plain": {},
    "logged": {"log": True},
    "log filtered out": {"log": True, "log_level": WARNING},
    "camel case": {"camelize": True},
}
RICH = (EXISTING, OURS, EXISTING_DJANGO, OURS_DJANGO)  # have logging and camel case
OPTION_BARS = {"log filtered out": Bar(1.15), "camel case": Bar(1.3)}
LOG = "the two log records alone"

Workers = dict[tuple[Peer, str], Process]


def run(lab: Lab) -> list[Row]:
    """Measure and compare."""
    series = Series()
    with ExitStack() as stack:
        workers: Workers = {
            (peer, variant): stack.enter_context(lab.worker(peer, layer=True, **VARIANTS[variant]))
            for peer in (*ON_FAST_CHANNELS, *ON_CHANNELS)
            for variant in (VARIANTS if peer in RICH else ["plain"])
        }
        for _ in lab.rounds(5, quick=2):
            measure(lab, workers, series)
    return [*plain_rows(series), *variant_rows(series)]


def measure(lab: Lab, workers: Workers, series: Series) -> None:
    """Run one round."""
    seconds = 0.1 if lab.quick else 0.25
    for mode, window in WINDOWS.items():
        for (peer, variant), worker in workers.items():
            cost = worker.ask("echo", window=window, seconds=seconds)
            series.add(name(mode, variant), peer, cost)
            if variant == "logged":
                series.add(name(mode, LOG), peer, worker.ask("log", seconds=seconds))


def name(mode: str, variant: str) -> str:
    """Name a measure."""
    return mode if variant == "plain" else f"{mode}, {variant}"


def plain_rows(series: Series) -> list[Row]:
    """Compare the peers."""
    return [
        row
        for mode in WINDOWS
        for row in compared(series, mode, (*ON_FAST_CHANNELS, *ON_CHANNELS), "µs", BARS[mode])
    ]


def variant_rows(series: Series) -> list[Row]:
    """Compare what options cost, ours and those of the existing implementation."""
    rows: list[Row] = []
    for mode in WINDOWS:
        rows += [logging_row(series, mode, peer) for peer in RICH]
        for variant, bar in OPTION_BARS.items():
            rows += [option_row(series, mode, peer, variant, bar) for peer in RICH]
    return rows


def logging_row(series: Series, mode: str, peer: Peer) -> Row:
    """Compare what logging adds with two plain calls that write the same: of logging, or of structlog for 2.13.0."""
    added = Series()
    off, on = series.values(mode, peer), series.values(name(mode, "logged"), peer)
    for without, with_records in zip(off, on, strict=True):
        added.add("added", peer, with_records - without)
    for bare in series.values(name(mode, LOG), peer):
        added.add("bare", peer, bare)
    return Row(
        what=f"{mode}: logging adds",
        who=peer.title,
        figure=added.median("added", peer),
        unit="µs",
        ratio=added.ratio("added", peer, "bare", peer),
        to="two plain logging calls" if is_ours(peer) else "two plain structlog calls",
        bar=Bar(1.3) if is_ours(peer) else None,
    )


def option_row(series: Series, mode: str, peer: Peer, variant: str, bar: Bar) -> Row:
    """Compare an option with its absence."""
    measured = name(mode, variant)
    return Row(
        what=f"{mode}: {variant}",
        who=peer.title,
        figure=series.median(measured, peer),
        unit="µs",
        ratio=series.ratio(measured, peer, mode, peer),
        to="the same without",
        bar=bar if is_ours(peer) else None,
    )


def is_ours(peer: Peer) -> bool:
    """Bars are for us."""
    return peer is not baseline(peer)
