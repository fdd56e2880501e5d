"""What `.ci/matrix.toml` puts together."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from matrix import Cell, declared_floors, read_cells
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / ".ci" / "matrix.toml"
CELLS = read_cells(TABLE)


def load(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


PROJECTS = {path.parent.name: load(path) for path in sorted(ROOT.glob("packages/*/pyproject.toml"))}


def test_a_row_is_every_combination_of_its_versions(tmp_path: Path) -> None:
    table = tmp_path / "matrix.toml"
    table.write_text("""
        [[frameworks]]
        packages = ["one", "two"]
        python = "3.13"
        versions.django = ["5.2", "latest"]
        versions.channels = ["lowest"]
        apart = [{ django = "5.2", why = "they quarrel" }]
    """)

    old, new, *others = read_cells(table)

    assert str(old) == "one, django 5.2, channels lowest"
    assert (old.python, old.apart) == ("3.13", "they quarrel")
    assert (str(new), new.apart) == ("one, django latest, channels lowest", "")
    assert [cell.package for cell in others] == ["two", "two"]


def test_versions_are_asked_for_exactly() -> None:
    versions = {"django": "5.2", "channels": "lowest", "pydantic": "latest"}
    cell = Cell("one", "3.13", versions, apart="")

    asked = cell.requirements({"channels": "4.2", "pydantic": "2.10"})

    assert asked == ["django==5.2.*", "channels==4.2", "pydantic"]


def test_a_floor_is_what_all_packages_allow() -> None:
    one = {"project": {"dependencies": ["a>=1.9", "b>=1,<2", "c"]}}
    extras = {"x": ["b[y]>=1.10", "a>=1.10; sys_platform != 'win32'"]}
    two = {"project": {"dependencies": [], "optional-dependencies": extras}}
    three = {"project": {"dependencies": []}, "dependency-groups": {"test": ["d>=3", "b>=1.2"]}}

    assert declared_floors([one, two, three]) == {"a": "1.10", "b": "1.10", "d": "3"}


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_combination_is_of_what_a_package_declares(cell: Cell) -> None:
    floors = declared_floors(PROJECTS.values())

    assert cell.package in PROJECTS
    assert cell.versions.keys() <= floors.keys()


def test_no_combination_is_there_twice() -> None:
    assert len({str(cell) for cell in CELLS}) == len(CELLS)


def test_the_page_says_the_floors_that_are_declared() -> None:
    page = (ROOT / "docs" / "supported.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w-]+) \| ([^|]+) \| ([\d.]+) \|", page, re.MULTILINE)
    own = declared_floors([{"project": project["project"]} for project in PROJECTS.values()])
    known = declared_floors(PROJECTS.values()) | own
    named = {name for _, needs, _ in rows for name in re.findall(r"(chanx-\w+)", needs)}

    assert {name: floor for name, _, floor in rows} == {name: known[name] for name, *_ in rows}
    assert {name for name in own if not name.startswith("chanx-")} <= {name for name, *_ in rows}
    assert named <= PROJECTS.keys()


def test_packages_that_share_a_dependency_have_one_floor_for_it() -> None:
    """Else the lower one is never tested beside the packages that want the higher."""
    floors: dict[str, set[str]] = {}
    for project in PROJECTS.values():
        own = {"project": project["project"]}
        for name, floor in declared_floors([own]).items():
            floors.setdefault(name, set()).add(floor)

    assert {name: found for name, found in floors.items() if len(found) > 1} == {}


@pytest.mark.parametrize("together", load(TABLE)["wheels"].values(), ids=str)
def test_wheels_are_asked_for_with_extras_that_they_have(together: list[str]) -> None:
    for requirement in map(Requirement, together):
        project = PROJECTS[requirement.name]["project"]
        assert requirement.extras <= project.get("optional-dependencies", {}).keys()
