"""Which versions the session `frameworks` puts together: `matrix.toml`, and the floors that the packages declare."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version


@dataclass(frozen=True)
class Cell:
    """One combination, for the tests of one package."""

    package: str
    python: str
    versions: Mapping[str, str]
    apart: str
    """Why the frameworks themselves do not go together, if they do not."""

    def __str__(self) -> str:
        return ", ".join(
            [self.package, *(f"{name} {which}" for name, which in self.versions.items())]
        )

    def requirements(self, floors: Mapping[str, str]) -> list[str]:
        """Return what asks an index for exactly these versions."""
        return [_requirement(name, which, floors) for name, which in self.versions.items()]


def read_cells(table: Path) -> list[Cell]:
    """Return every combination of the table, in its order."""
    rows = tomllib.loads(table.read_text(encoding="utf-8"))["frameworks"]
    return [cell for row in rows for cell in _combinations(row)]


def declared_floors(projects: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the lowest version of each dependency that the files pyproject.toml of some packages allow together."""
    floors: dict[str, str] = {}
    for requirement in map(Requirement, _declared(projects)):
        for specifier in requirement.specifier:
            known = floors.get(requirement.name, "0")
            if specifier.operator == ">=":
                floors[requirement.name] = max(known, specifier.version, key=Version)
    return floors


def _combinations(row: Mapping[str, Any]) -> Iterator[Cell]:
    for package, *which in itertools.product(row["packages"], *row["versions"].values()):
        versions = dict(zip(row["versions"], which, strict=True))
        yield Cell(package, row["python"], versions, _apart(row, versions))


def _apart(row: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    for entry in row.get("apart", []):
        named = entry.keys() - {"why"}
        if all(versions[name] == entry[name] for name in named):
            return str(entry["why"])
    return ""


def _requirement(name: str, which: str, floors: Mapping[str, str]) -> str:
    if which == "latest":
        return name
    if which == "lowest":
        return f"{name}=={floors[name]}"
    return f"{name}=={which}.*"


def _declared(projects: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for project in projects:
        yield from project["project"]["dependencies"]
        for extra in project["project"].get("optional-dependencies", {}).values():
            yield from extra
        yield from project.get("dependency-groups", {}).get("test", [])
