"""One sender and N connections in one group, in process; and thousands of groups of one connection each."""

from contextlib import ExitStack
from dataclasses import dataclass

from .lab import Lab, Series
from .peers import (
    BY_HAND,
    CHANNELS,
    EXISTING,
    EXISTING_DJANGO,
    FAST_CHANNELS,
    OURS,
    OURS_DJANGO,
    SOCKET_IO,
    Peer,
)
from .table import Bar, Row, compared

__all__ = ["TITLE", "run"]

TITLE = "Broadcast, sender and receivers in one process: deliveries in a second of CPU time"

ON_LAYERS = (EXISTING, OURS, FAST_CHANNELS, EXISTING_DJANGO, OURS_DJANGO, CHANNELS)
PEERS = (*ON_LAYERS[:3], SOCKET_IO, BY_HAND, *ON_LAYERS[3:])
CHANX = (EXISTING, OURS, EXISTING_DJANGO, OURS_DJANGO)
FEW, MANY = 100, 5_000
FLAT = Bar(1.3)
RATE = "connections that join in a second of CPU time"
MEMORY = "memory of a connection"


@dataclass(frozen=True)
class Scene:
    """A broadcast to a group of some size."""

    what: str
    count: int
    peers: tuple[Peer, ...]
    bar: Bar | None = None
    redis: bool = False
    frame: int = 0
    """0 is a message that all receive, 1 an event that each member handles."""

    @property
    def title(self) -> str:
        """What the row is called."""
        return f"{self.what}, N = {self.count:,}"


SCENES = (
    Scene("in memory", FEW, PEERS, bar=Bar(12, at_least=True)),
    Scene("in memory", 1_000, PEERS, bar=Bar(40, at_least=True)),
    Scene("in memory", MANY, (OURS, BY_HAND, OURS_DJANGO)),
    Scene("Redis pub/sub", FEW, ON_LAYERS, bar=Bar(4.5, at_least=True), redis=True),
    Scene("Redis pub/sub", 1_000, ON_LAYERS, bar=Bar(12, at_least=True), redis=True),
    Scene(
        "event with a handler per member, in memory",
        1_000,
        PEERS,
        bar=Bar(15, at_least=True),
        frame=1,
    ),
)


def run(lab: Lab) -> list[Row]:
    """Measure and compare."""
    series = Series()
    groups = 1_000 if lab.quick else 10_000
    with lab.valkey() as url:
        measure(lab, series, url)
        scatter(lab, series, url, groups)
    return [
        *(row for scene in SCENES for row in rows(series, scene)),
        *(flat_row(series, peer) for peer in (OURS, BY_HAND, OURS_DJANGO)),
        *compared(series, of_one(RATE, groups), CHANX, ""),
        *compared(series, of_one(MEMORY, groups), CHANX, "kB"),
    ]


def measure(lab: Lab, series: Series, url: str) -> None:
    """Measure broadcasts; in each round and scene everybody opens new connections."""
    seconds = 0.1 if lab.quick else 0.3
    with ExitStack() as stack:
        workers = {
            (peer, redis): stack.enter_context(
                lab.worker(peer, layer=True, room="shared", redis=redis)
            )
            for redis in ("", url)
            for peer in (ON_LAYERS if redis else PEERS)
        }
        for _ in lab.rounds(3):
            for scene in SCENES:
                for peer in scene.peers:
                    worker = workers[peer, url if scene.redis else ""]
                    asked = {"count": scene.count, "frame": scene.frame, "seconds": seconds}
                    series.add(scene.title, peer, worker.ask("broadcast", **asked))


def scatter(lab: Lab, series: Series, url: str, groups: int) -> None:
    """Measure groups of one member each, over Redis: the in-memory layers walk along all of them at each join."""
    for peer in CHANX:
        with lab.worker(peer, layer=True, room="own", redis=url) as worker:
            found = worker.ask("scatter", count=groups)
        series.add(of_one(RATE, groups), peer, found["rate"])
        series.add(of_one(MEMORY, groups), peer, found["bytes"] / 1000)


def of_one(measured: str, groups: int) -> str:
    """Name a measure."""
    return f"{groups:,} groups of one, Redis pub/sub: {measured}"


def rows(series: Series, scene: Scene) -> list[Row]:
    """Compare with the existing implementation, where it took part."""
    if EXISTING in scene.peers:
        bars = {OURS: scene.bar, OURS_DJANGO: scene.bar} if scene.bar else {}
        return compared(series, scene.title, scene.peers, "", bars)
    return [
        Row(scene.title, peer.title, series.median(scene.title, peer), "") for peer in scene.peers
    ]


def flat_row(series: Series, peer: Peer) -> Row:
    """Compare the cost of a delivery among many with that of one among few."""
    few, many = f"in memory, N = {FEW:,}", f"in memory, N = {MANY:,}"
    return Row(
        what=f"{many}: time per delivery",
        who=peer.title,
        figure=1e6 / series.median(many, peer),
        unit="µs",
        ratio=series.ratio(few, peer, many, peer),
        to=f"the same at N = {FEW}",
        bar=FLAT if peer in (OURS, OURS_DJANGO) else None,
    )
