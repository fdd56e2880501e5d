"""Command line: `python -m bench [--quick] [--output FILE] [suite ...]`."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import (
    broadcast,
    classes,
    clients,
    connections,
    conversations,
    database,
    documents,
    echo,
    flood,
    imports,
    sockets,
)
from .environments import ROOT, Environments
from .lab import Lab
from .machine import described
from .table import Row, markdown, summary

__all__: list[str] = []

# What a suite is: a title, and a function that measures and returns rows.
SUITES: dict[str, tuple[str, Callable[[Lab], list[Row]]]] = {
    "echo": (echo.TITLE, echo.run),
    "database": (database.TITLE, database.run),
    "connections": (connections.TITLE, connections.run),
    "classes": (classes.TITLE, classes.run),
    "import": (imports.TITLE, imports.run),
    "sockets": (sockets.TITLE, sockets.run),
    "broadcast": (broadcast.TITLE, broadcast.run),
    "flood": (flood.TITLE, flood.run),
    "documents": (documents.TITLE, documents.run),
    "conversations": (conversations.TITLE, conversations.run),
    "clients": (clients.TITLE, clients.run),
}
BEGIN, END = "<!-- begin of the benchmark's output -->", "<!-- end of the benchmark's output -->"


def main() -> int:
    """Run the suites that were asked for. Returns 0 whatever the bars: figures are for people to judge."""
    options = arguments()
    environments = Environments(options.environments, options.python, tell)
    lab = Lab(environments, quick=options.quick, tell=tell)
    report = Report()
    report.add(described(environments.version))
    report.add(f"`nox -s bench{command_line(options)}`, medians of rounds in which all take turns.")
    rows: list[Row] = []
    for name in options.suites or SUITES:
        rows += section(name, lab, report)
    report.add(f"### Bars\n\n{summary(rows)}")
    if options.output:
        write(ROOT / options.output, report.text)
    return 0


class Report:
    """What is printed as it comes, and may go to a file at the end."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, part: str) -> None:
        """Print one part."""
        print(f"{part}\n", flush=True)
        self.text += f"{part}\n\n"


def section(name: str, lab: Lab, report: Report) -> list[Row]:
    """Run one suite, report its table and return the rows."""
    title, run = SUITES[name]
    began = time.monotonic()
    tell(f"suite {name}")
    rows = run(lab)
    tell(f"suite {name} took {time.monotonic() - began:.0f} s")
    report.add(f"### {title}\n\n{markdown(rows)}")
    return rows


def command_line(options: argparse.Namespace) -> str:
    """Return what was asked for, as one would type it."""
    words = [*(["--quick"] if options.quick else []), *options.suites]
    return f" -- {' '.join(words)}" if words else ""


def write(target: Path, text: str) -> None:
    """Write the output to a file, or between the marks in a file that has them."""
    old = target.read_text(encoding="utf-8") if target.exists() else ""
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        text = f"{before}{BEGIN}\n{text.rstrip()}\n{END}{after}"
    target.write_text(f"{text.rstrip()}\n", encoding="utf-8")
    tell(f"written to {target}")


def tell(progress: str) -> None:
    """Report progress beside the results."""
    print(f"  {progress}", file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="suite", help=f"of {', '.join(SUITES)}")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument(
        "--output",
        type=Path,
        help="Markdown file for the results, relative to the top of the checkout",
    )
    parser.add_argument("--python", default="3.13", help="version or path, 3.13 if it is there")
    parser.add_argument(
        "--environments",
        type=Path,
        default=ROOT / ".nox" / ".cache" / "bench",
        help="folder of the peers' environments",
    )
    options = parser.parse_args()
    if unknown := [name for name in options.suites if name not in SUITES]:
        parser.error(f"no suite {', '.join(unknown)}; there are {', '.join(SUITES)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
