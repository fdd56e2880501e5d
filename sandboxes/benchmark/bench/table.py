"""Rows of the results, and what they look like in Markdown."""

from collections.abc import Iterable
from dataclasses import dataclass

from .lab import Series
from .peers import Peer, baseline

__all__ = ["Bar", "Row", "compared", "markdown", "summary"]

HEADER = ("what", "who", "figure", "ratio", "to", "bar", "")


@dataclass(frozen=True)
class Bar:
    """What a ratio, or the figure itself, should be; `aim` is better still."""

    limit: float
    at_least: bool = False
    aim: float | None = None
    of_figure: bool = False

    def is_met(self, ratio: float | None, figure: float) -> bool:
        """Tell whether a row reaches the bar."""
        value = figure if self.of_figure or ratio is None else ratio
        value = round(value, 2)  # as it is shown
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        aim = "" if self.aim is None else f", aim {self.aim:g}"
        return f"{sign} {self.limit:g}{aim}"


@dataclass(frozen=True)
class Row:
    """One line of the results."""

    what: str
    who: str
    figure: float
    unit: str
    ratio: float | None = None
    to: str = ""
    bar: Bar | None = None

    @property
    def mark(self) -> str:
        """Say whether the bar is reached, where there is one."""
        if self.bar is None:
            return ""
        return "pass" if self.bar.is_met(self.ratio, self.figure) else "**fail**"

    @property
    def bar_text(self) -> str:
        """Write the bar, with the unit where it is one for the figure."""
        if self.bar is None:
            return ""
        return f"{self.bar} {self.unit}".strip() if self.bar.of_figure else str(self.bar)

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the line."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        figure = number(self.figure, self.unit)
        return (self.what, self.who, figure, ratio, self.to, self.bar_text, self.mark)


def compared(
    series: Series,
    measure: str,
    peers: Iterable[Peer],
    unit: str,
    bars: dict[Peer, Bar] | None = None,
) -> list[Row]:
    """Compare peers with the existing implementation on the same framework."""
    return [
        Row(
            what=measure,
            who=peer.title,
            figure=series.median(measure, peer),
            unit=unit,
            ratio=series.ratio(measure, peer, measure, baseline(peer)),
            to=baseline(peer).title,
            bar=(bars or {}).get(peer),
        )
        for peer in peers
    ]


def markdown(rows: Iterable[Row]) -> str:
    """Write a table; what repeats itself is written once."""
    lines: list[tuple[str, ...]] = [HEADER, ("---", "---", "---:", "---:", "---", "---", "---")]
    last = ""
    for row in rows:
        what, *others = row.cells()
        lines.append(("" if what == last else what, *others))
        last = what
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float, unit: str) -> str:
    """Write three digits and the unit."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def summary(rows: Iterable[Row]) -> str:
    """Count the bars and name those that were not reached."""
    judged = [row for row in rows if row.bar is not None]
    failed = [row for row in judged if row.mark != "pass"]
    lines = [f"{len(judged) - len(failed)} of {len(judged)} bars reached."]
    if failed:
        lines += ["Not reached:", "", *(f"- {sentence(row)}" for row in failed)]
    return "\n".join(lines)


def sentence(row: Row) -> str:
    """Name a row, its figure and its bar."""
    by_figure = row.ratio is None or (row.bar is not None and row.bar.of_figure)
    reached = number(row.figure, row.unit) if by_figure else f"{row.ratio:.2f} of {row.to}"
    return f"{row.what}; {row.who}: {reached} (bar {row.bar_text})"
