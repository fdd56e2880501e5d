"""Making an AsyncAPI document while the process serves connections."""

import json

from .lab import Lab, Series
from .peers import OURS, OURS_DJANGO
from .table import Bar, Row

__all__ = ["TITLE", "run"]

TITLE = "Making the AsyncAPI document of 15 channels with 180 messages, in a fresh process"

FRAMEWORKS = {OURS: "fast-channels", OURS_DJANGO: "channels"}
FORMS = {"json": "JSON", "yaml": "YAML", "html": "the page"}
TIME, BLOCK, SHARE = "time until the answer", "longest block of the event loop", "time over block"
# A block of at most a fiftieth of the time.
BARS = {SHARE: Bar(50, at_least=True, of_figure=True)}
UNITS = {TIME: "ms", BLOCK: "ms", SHARE: ""}


def run(lab: Lab) -> list[Row]:
    """Measure and show; the first time compiles and does not count."""
    series = Series()
    measure(lab, Series(), "json")
    for _ in lab.rounds(7, quick=3):
        for form in FORMS:
            measure(lab, series, form)
    return [
        Row(
            what=named(form, measure),
            who=peer.title,
            figure=series.median(named(form, measure), peer),
            unit=UNITS[measure],
            bar=BARS.get(measure),
        )
        for form in FORMS
        for measure in UNITS
        for peer in FRAMEWORKS
    ]


def measure(lab: Lab, series: Series, form: str) -> None:
    """Make one document with each framework."""
    for peer, framework in FRAMEWORKS.items():
        found = json.loads(lab.run(peer, "documents", framework, form))
        series.add(named(form, TIME), peer, found["took"] * 1e3)
        series.add(named(form, BLOCK), peer, found["blocked"] * 1e3)
        series.add(named(form, SHARE), peer, found["took"] / found["blocked"])


def named(form: str, measure: str) -> str:
    """Name what is measured of a form."""
    return f"{FORMS[form]}: {measure}"
