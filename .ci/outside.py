"""Tests of the built wheels in a bare environment, in a folder outside the tree."""

from __future__ import annotations

import re
from pathlib import Path

import nox
import wheels
from environments import EVERYTHING, exact, load, locked_versions, test_tools
from matrix import Cell, declared_floors
from nox.command import CommandFailed
from wheels import PACKAGES, ROOT

IMPORT_WHEEL = str(ROOT / ".ci" / "import_wheel.py")
README_EXAMPLE = str(ROOT / ".ci" / "readme_example.py")


def test_alone(session: nox.Session, package: str) -> None:
    """Import everything in one wheel, then run the tests of its package."""
    wheels.build_wheels(session)
    locked = locked_constraint(session)
    with wheels.outside(session, package):
        install(session, locked, package)
        # Only now the test tools, and the siblings that the tests need: as wheels too.
        wheels.install(session, locked, *test_tools(package))
        session.run("pytest", "tests", *session.posargs)


def test_together(session: nox.Session, requirements: list[str]) -> None:
    """Import everything in several wheels, then run the example in the README of each."""
    wheels.build_wheels(session)
    locked = locked_constraint(session)
    with wheels.outside(session):
        install(session, locked, *requirements)
        for requirement in requirements:
            readme = ROOT / "packages" / requirement.split("[")[0] / "README.md"
            session.run("python", "-I", "-W", "error", README_EXAMPLE, str(readme))


def locked_constraint(session: nox.Session) -> str:
    """Return the option that asks for the versions of the lock, which is read from the tree."""
    return f"--constraint={locked_versions(session, *EVERYTHING, '--group=test')}"


def install(session: nox.Session, locked: str, *requirements: str) -> None:
    """Install wheels and import everything in them."""
    wheels.install(session, locked, *requirements)
    session.run("uv", "pip", "check", "--quiet")
    session.run("python", "-I", IMPORT_WHEEL)


def test_cell(session: nox.Session, cell: Cell) -> None:
    """Run the tests of a package with other versions of its frameworks than the lock has."""
    project = load(cell.package)["project"]
    path = wheels.build_wheels(session)[cell.package]
    extras = ",".join(project.get("optional-dependencies", {}))
    asked = [f"{cell.package}[{extras}] @ {path.as_uri()}", *test_tools(cell.package)]
    versions = exact(session, cell.requirements(declared_floors(map(load, PACKAGES))))
    with wheels.outside(session, cell.package):
        try:
            wheels.install(session, *asked, *versions)
            session.log(f"the versions of {cell}: {', '.join(wheels.installed(session))}")
            session.run("pytest", "tests", *session.posargs)
        except CommandFailed:
            if not cell.apart:
                raise
            session.skip(f"{' and '.join(versions)} do not go together: {cell.apart}")
    if cell.apart:
        session.warn("these go together by now: take them out of `apart`")


def test_at_floors(session: nox.Session, package: str) -> None:
    """Run the tests of a package with its direct dependencies at their floors."""
    path = wheels.build_wheels(session)[package]
    project = load(package)["project"]
    extras = project.get("optional-dependencies", {}).values()
    # Only what is asked for directly is lowered: so the wheel's own requirements are.
    direct = [*project["dependencies"], *(item for extra in extras for item in extra)]
    tools = test_tools(package)
    with wheels.outside(session, package):
        wheels.install(session, "--resolution=lowest-direct", str(path), *direct)
        floors = wheels.installed(session)
        session.log(f"the floors of {package}: {', '.join(floors)}")
        # They stay, but for what the tests themselves are run with: pytest, say.
        own = {re.split(r"[^\w-]", tool, maxsplit=1)[0] for tool in tools}
        kept = [line for line in floors if line.split("==")[0] not in own]
        Path("floors.txt").write_text("\n".join(kept), encoding="utf-8")
        wheels.install(session, "--resolution=lowest-direct", "--constraint=floors.txt", *tools)
        session.run("pytest", "tests", *session.posargs)
