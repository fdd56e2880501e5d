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
BESIDE = f"{KEPT}: beside the query"

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
    bars = {BESIDE: {OURS_DJANGO: Bar(0.30)}}
    return [
        row
        for what in (*AGES, BESIDE)
        for row in compared(series, what, PEERS, "µs", bars.get(what))
    ]


def measure(lab: Lab, workers: Workers, series: Series) -> None:
    """Run one round."""
    for (peer, mode), worker in workers.items():
        took = worker.ask("query", seconds=0.4 if lab.quick else 1.0)
        series.add(mode, peer, took["message"])
        if mode == KEPT:
            series.add(BESIDE, peer, took["message"] - took["query"])
