"""The packages as their users get them: built, and installed and tested outside the tree."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import nox
from licences import licence_errors

ROOT = Path(__file__).resolve().parents[1]
CONFORMANCE = "chanx-conformance"  # what both integrations are tested by; never published
PACKAGES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))
BUILT: dict[str, Path] = {}  # the wheels by package, once build_wheels() has run


def build(session: nox.Session, target: Path) -> Path:
    """Build wheel and sdist of every published package into an empty folder, by the time of the last commit."""
    shutil.rmtree(target, ignore_errors=True)
    when = session.run("git", "log", "-1", "--format=%ct", external=True, silent=True)
    command = ["uv", "build", "--all-packages", "--no-sources", "--quiet", f"--out-dir={target}"]
    session.run_install(*command, env={"SOURCE_DATE_EPOCH": str(when).strip()})
    unpublished = ("sandbox*", "chanx_workspace*", "chanx_conformance*")
    for stray in [path for pattern in unpublished for path in target.glob(pattern)]:
        stray.unlink()
    return target


def build_wheels(session: nox.Session) -> dict[str, Path]:
    """Build and check all wheels, once in a run of nox, and return them by package."""
    if not BUILT:
        dist = build(session, Path(session.cache_dir).resolve() / "dist")
        check_wheels(session, sorted(dist.glob("*.whl")))
        BUILT.update({package_of(path): path for path in dist.glob("*.whl")})
        build_conformance(session, dist / "unpublished")
    return BUILT


def build_conformance(session: nox.Session, target: Path) -> None:
    """Build the tests that the integrations share, for the environments in which their own tests run."""
    command = ["uv", "build", f"--package={CONFORMANCE}", "--wheel", "--no-sources", "--quiet"]
    session.run_install(*command, f"--out-dir={target}")


def check_wheels(session: nox.Session, wheels: list[Path]) -> None:
    """Fail unless there is one wheel for each package, they share no file, and each declares its licences."""
    if [package_of(path) for path in wheels] != PACKAGES:
        session.error(f"expected wheels of {PACKAGES}, found {[path.name for path in wheels]}")
    owners = Counter(name for path in wheels for name in zipfile.ZipFile(path).namelist())
    if shared := sorted(name for name, count in owners.items() if count > 1):
        session.error(f"in more than one wheel: {', '.join(shared)}")
    if stray := sorted({"chanx/__init__.py", "chanx/ext/__init__.py"} & owners.keys()):
        session.error(f"a namespace has no __init__.py, yet a wheel has {', '.join(stray)}")
    if wrong := [line for path in wheels for line in licence_errors(path)]:
        session.error("\n".join(wrong))
    session.log(f"{len(wheels)} wheels, {len(owners)} files, none shared, no namespace __init__.py")


def check_published(session: nox.Session, place: Path) -> None:
    """Build twice and check what would be published."""
    first, second = (build(session, place / name) for name in ("first", "second"))
    files = sorted(first.glob("chanx_*"))
    session.run("twine", "check", "--strict", *map(str, files))
    built = sorted(first.glob("*.whl"))
    # W002: two modules of the same single line are no mistake.
    session.run("check-wheel-contents", "--ignore=W002", *map(str, built))
    check_wheels(session, built)
    for file in files:
        if file.read_bytes() != (second / file.name).read_bytes():
            session.error(f"{file.name} is different in a second build of the same sources")
    session.log(f"{len(files)} files, each with the same bytes in both builds")


@contextmanager
def outside(session: nox.Session, package: str | None = None) -> Generator[None]:
    """Work in a new folder outside the tree, with the tests of a package and the settings of pytest they rely on."""
    with tempfile.TemporaryDirectory(prefix="chanx-outside-") as place, session.chdir(place):
        if package:
            shutil.copytree(ROOT / "packages" / package / "tests", Path("tests"))
            Path("pyproject.toml").write_text(pytest_settings(), encoding="utf-8")
        yield


def install(session: nox.Session, *arguments: str) -> None:
    """Install as a user would, ours as the wheels just built, without the lock and its cooldown."""
    (dist,) = {path.parent for path in BUILT.values()}
    ours = dist / "ours.txt"
    # By address: a wheel of the same version may be published, or in uv's cache from another build.
    wheels = [*BUILT.values(), *dist.glob("unpublished/*.whl")]
    lines = [f"{package_of(path)} @ {path.as_uri()}" for path in wheels]
    ours.write_text("\n".join(lines), encoding="utf-8")
    command = ["uv", "pip", "install", "--quiet", "--no-sources", "--no-config"]
    session.run_install(*command, f"--constraint={ours}", *arguments)


def installed(session: nox.Session) -> list[str]:
    """Return what the environment of the session has beside our wheels, as `name==version`."""
    frozen = str(session.run("uv", "pip", "freeze", silent=True)).splitlines()
    return [line for line in frozen if "==" in line]


def package_of(wheel: Path) -> str:
    return wheel.name.split("-")[0].replace("_", "-")


def pytest_settings() -> str:
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = re.search(r"^\[tool\.pytest\]\n.*?(?=^\[)", settings, re.MULTILINE | re.DOTALL)
    assert section, "pyproject.toml has no [tool.pytest]"
    return section.group()
