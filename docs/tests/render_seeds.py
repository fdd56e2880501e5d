"""Write docs/seeds.md from docs/seeds.yaml, and raise the minimum in the latter to what it has.

python docs/tests/render_seeds.py
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).parents[1]
DATA = DOCS / "seeds.yaml"
PAGE = DOCS / "seeds.md"

HEAD = """# What the reference documents say

The public interface of chanx was described before it was built, in the five reference documents below. Here is
everything they name: each import path, parameter, setting, default and example, and what they state beyond that.
A row is *done* when a test proves it, which is then named beside it; where there is none, the row says why.

This page is written by `python docs/tests/render_seeds.py` from [seeds.yaml](seeds.yaml). `docs/tests/test_seeds.py`
fails when a row that is claimed as done has no test, when a path, parameter or default in it is not the real one, and
when the table has fewer rows, or fewer done, than it had.
"""


def main() -> None:
    """Bring both files up to date."""
    text = DATA.read_text(encoding="utf-8")
    DATA.write_text(raised(text, loaded()), encoding="utf-8")
    PAGE.write_text(rendered(), encoding="utf-8")


def loaded() -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = yaml.safe_load(DATA.read_text(encoding="utf-8"))["documents"]
    return documents


def raised(text: str, documents: list[dict[str, Any]]) -> str:
    """Raise the two numbers under `minimum`; they are never lowered."""
    rows = [row for document in documents for row in document["rows"]]
    for key, count in (("rows", len(rows)), ("done", done_in(rows))):
        text = with_at_least(text, key, count)
    return text


def with_at_least(text: str, key: str, count: int) -> str:
    head, line, tail = re.split(rf"(?m)^(  {key}: \d+)$", text, maxsplit=1)
    known = int(line.partition(": ")[2])
    return f"{head}  {key}: {max(known, count)}{tail}"


def rendered() -> str:
    """Return the page."""
    documents = loaded()
    lines = [HEAD, *overview(documents)]
    for document in documents:
        lines += ["", f"## {heading(document)}", "", *table(document["rows"])]
    return "\n".join(lines) + "\n"


def overview(documents: list[dict[str, Any]]) -> Iterator[str]:
    yield "| document | rows | done | untested |"
    yield "|---|---:|---:|---:|"
    for document in documents:
        yield counted(f"[{heading(document)}](#{anchor(heading(document))})", document["rows"])
    yield counted("all", [row for document in documents for row in document["rows"]])


def counted(label: str, rows: list[dict[str, Any]]) -> str:
    done = done_in(rows)
    return f"| {label} | {len(rows)} | {done} | {len(rows) - done} |"


def done_in(rows: list[dict[str, Any]]) -> int:
    return sum(row["state"] == "done" for row in rows)


def heading(document: dict[str, Any]) -> str:
    number, title = document["number"], document["title"]
    return f"{number} {title}" if number.isdigit() else title


def anchor(text: str) -> str:
    """Spell a heading's anchor as GitHub does."""
    return re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-")


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| item | kind | state | test, or why there is none |"
    yield "|---|---|---|---|"
    for row in rows:
        proof = "<br>".join(link(test) for test in row.get("test", ())) or row["why"]
        yield f"| {item(row)} | {row['kind']} | {row['state']} | {proof} |"


def item(row: dict[str, Any]) -> str:
    says = row.get("says")
    is_sentence = row["kind"] in ("example", "statement")
    what = row["what"] if is_sentence else f"`{subject(row)}`"
    return (f"{what}: {says}" if says else what).replace("|", "\\|")


def subject(row: dict[str, Any]) -> str:
    """Return the path with what is said about its parameters or its value."""
    value = f"={row['default']!r}" if "default" in row else ""
    if "parameters" in row:
        return f"{row['what']}({', '.join(row['parameters'])}{value})"
    return f"{row['what']}{value.replace('=', ' = ')}"


def link(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[{name.replace('::', '.')}](../{file})"


if __name__ == "__main__":
    main()
