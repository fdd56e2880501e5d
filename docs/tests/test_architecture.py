"""The table of modules on the page about the architecture names what is in chanx-core, and nothing that is gone."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CORE = ROOT / "packages" / "chanx-core" / "src" / "chanx"
SECTION = PAGE[PAGE.index("## What is where") : PAGE.index("## The way of one message")]
ROWS = re.findall(r"^\| (`chanx\..+?) \| (.+) \|$", SECTION, re.MULTILINE)


def modules_of(cell: str) -> list[Path]:
    """Return the modules that the first cell of a row names; names after the first are in the same package."""
    first, *others = re.findall(r"`([\w.]+)`", cell)
    package = CORE.joinpath(*first.split(".")[1:-1])
    return [package / name for name in (first.rpartition(".")[2], *others)]


def is_module(path: Path) -> bool:
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_modules_of_the_table_exist() -> None:
    named = [path for cell, _ in ROWS for path in modules_of(cell)]

    assert len(named) > 30
    assert [str(path) for path in named if not is_module(path)] == []


def test_private_modules_are_in_the_table() -> None:
    private = {path.stem for path in (CORE / "core").glob("_[!_]*.py")}
    named = set(re.findall(r"`(?:chanx\.core\.)?(_\w+)`", PAGE))

    assert private - named == set()
