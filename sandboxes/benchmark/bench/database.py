"""Messages that ask the database of a Django project: what is paid beside the question itself."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from .lab import Lab, Process, Series
from .peers import CHANNELS, EXISTING_DJANGO, OURS_DJANGO, Peer
from .table import Bar, Row, compared

__all__ = ["TITLE", "run"]

TITLE = "One query of the ORM for each message, SQLite in a file, one at a time, in process: CPU per message"

PEERS = (EXISTING_DJANGO, OURS_DJANGO, CHANNELS)
# Seconds for which Django keeps a connection: CONN_MAX_AGE.
AGES = {"connections kept": 60, "a connection for each message": 0}
KEPT = "connections kept"
ALONE = "the query alone"
BAR = Bar(0.30)

Workers = dict[tuple[Peer, str], Process]


def run(lab: Lab) -> list[Row]:
    """Measure and compare."""
    series = Series()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chanx-bench-")))
        workers: Workers = {
            (peer, mode): stack.enter_context(
                lab.worker(peer, query=str(folder / f"{peer.name}.{age}.sqlite3"), max_age=age)
            )
            for peer in PEERS
            for mode, age in AGES.items()
        }
        for _ in lab.rounds(5, quick=2):
            measure(lab, workers, series)
    return [*(row for mode in AGES for row in compared(series, mode, PEERS, "µs")), *beside(series)]


def measure(lab: Lab, workers: Workers, series: Series) -> None:
    """Run one round."""
    seconds = 0.2 if lab.quick else 0.5
    for (peer, mode), worker in workers.items():
        series.add(mode, peer, worker.ask("echo", window=1, seconds=seconds))
        if mode == KEPT:
            series.add(ALONE, peer, worker.ask("ask", seconds=seconds))


def beside(series: Series) -> list[Row]:
    """Compare what peers take beside the query."""
    rest, what = Series(), f"{KEPT}: beside the query"
    for peer in PEERS:
        pairs = zip(series.values(KEPT, peer), series.values(ALONE, peer), strict=True)
        for whole, query in pairs:
            rest.add(what, peer, whole - query)
    return compared(rest, what, PEERS, "µs", {OURS_DJANGO: BAR})
