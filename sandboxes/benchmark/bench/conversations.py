"""What a reference, an item of a stream and a topic cost beside the same without, in process."""

import json

from .lab import Lab, Series
from .peers import OURS, OURS_DJANGO
from .table import Bar, Row

__all__ = ["TITLE", "run"]

TITLE = "References, streams and topics, one process: CPU beside the same without"

FRAMEWORKS = {OURS: "fast-channels", OURS_DJANGO: "channels"}
ECHO, BY_HAND = "an echo without", "the same loop by hand"
MEASURES = {
    "one at a time: echo with a ref": (ECHO, Bar(1.25)),
    "64 under way: echo with a ref": (ECHO, Bar(1.25)),
    "one at a time: frame to a topic": ("a plain echo", Bar(1.35)),
    "64 under way: frame to a topic": ("a plain echo", Bar(1.35)),
    "item of a stream": (BY_HAND, Bar(1.15)),
    "delivery to 1,000 members of a topic": ("`broadcast_event()`", Bar(1.1)),
}
MEMORY = "subscription"


def run(lab: Lab) -> list[Row]:
    """Measure and show."""
    figures, ratios = Series(), Series()
    for _ in lab.rounds(3):
        for peer, framework in FRAMEWORKS.items():
            seconds = "0.2" if lab.quick else "1"
            found = json.loads(lab.run(peer, "conversations", framework, seconds))
            for measure, values in found.items():
                figures.add(measure, peer, values["figure"])
                ratios.add(measure, peer, values.get("ratio", 0.0))
    return [
        *(
            Row(
                measure,
                peer.title,
                figures.median(measure, peer),
                "µs",
                ratios.median(measure, peer),
                to,
                bar,
            )
            for measure, (to, bar) in MEASURES.items()
            for peer in FRAMEWORKS
        ),
        *(
            Row(
                f"memory of a {MEMORY}",
                peer.title,
                figures.median(MEMORY, peer),
                "kB",
                bar=Bar(1.5, of_figure=True),
            )
            for peer in FRAMEWORKS
        ),
    ]
