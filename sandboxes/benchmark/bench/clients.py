"""What generated Python clients cost: a request beside the same by hand, and writing them beside the document."""

import json

from .lab import Lab, Series
from .peers import OURS, OURS_CLIENT
from .table import Bar, Row

__all__ = ["TITLE", "run"]

TITLE = "Generated Python clients: CPU of the client process"

REQUEST = "a request over a socket"
WRITING = {
    "shared": "writing 100 channels with the same ten messages",
    "own": "writing 100 channels with ten messages each",
}
ROWS = {
    REQUEST: ("µs", "websockets and pydantic by hand", Bar(1.3)),
    **dict.fromkeys(WRITING.values(), ("s", "exporting the document", Bar(3))),
}


def run(lab: Lab) -> list[Row]:
    """Measure and show."""
    figures, ratios = Series(), Series()
    seconds = "1" if lab.quick else "4"
    for _ in lab.rounds(3):
        with lab.server(OURS) as port:
            found = {REQUEST: lab.run(OURS_CLIENT, "clients", "request", str(port), seconds)}
        for messages, what in WRITING.items():
            found[what] = lab.run(OURS_CLIENT, "clients", "write", messages)
        for what, answer in found.items():
            values = json.loads(answer)
            figures.add(what, OURS_CLIENT, values["figure"])
            ratios.add(what, OURS_CLIENT, values["ratio"])
    return [
        Row(
            what=what,
            who=OURS_CLIENT.title,
            figure=figures.median(what, OURS_CLIENT),
            unit=unit,
            ratio=ratios.median(what, OURS_CLIENT),
            to=to,
            bar=bar,
        )
        for what, (unit, to, bar) in ROWS.items()
    ]
