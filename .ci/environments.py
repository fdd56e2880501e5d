"""What the sessions of noxfile.py install, and where."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import nox
from wheels import PACKAGES, ROOT

EVERYTHING = ("--all-packages", "--all-extras")


def sync(session: nox.Session, *selection: str) -> None:
    """Make the environment of the session exactly what `selection` takes from the lock."""
    place = session.virtualenv.location
    command = ["uv", "sync", "--locked", "--quiet", "--no-default-groups", f"--python={place}"]
    session.run_install(*command, *selection, env={"UV_PROJECT_ENVIRONMENT": place})


def locked_versions(session: nox.Session, *selection: str) -> Path:
    """Write what the lock says about `selection` to a file of constraints for `uv pip install`."""
    target = Path(session.create_tmp()).resolve() / "constraints.txt"
    command = ["uv", "export", "--locked", "--quiet", "--no-hashes", "--no-emit-workspace"]
    session.run_install(*command, f"--output-file={target}", *selection, silent=True)
    return target


def exact(session: nox.Session, requirements: list[str]) -> list[str]:
    """Return the newest versions that the registry has of some requirements, each looked at by itself."""
    asked = Path(session.create_tmp()).resolve() / "asked.txt"
    asked.write_text("\n".join(requirements), encoding="utf-8")
    command = ["uv", "pip", "compile", "--quiet", "--no-config", "--no-deps", "--no-header"]
    command += ["--no-annotate", f"--python-version={session.python}", str(asked)]
    return str(session.run(*command, silent=True)).split()


def test_tools(package: str) -> list[str]:
    """Return what the tests of a package need beside it."""
    return list(nox.project.dependency_groups(load(package), "test"))


def deptry_options(package: str) -> list[str]:
    """Return what deptry needs to know. Siblings look alike to it: .ci/tests checks those."""
    extras = load(package)["project"].get("optional-dependencies", {})
    # What an extra installs may be imported by a framework and not by us: a Redis client, say.
    optional = [
        re.split(r"[^\w.-]", item, maxsplit=1)[0] for extra in extras.values() for item in extra
    ]
    return [
        f"--config=packages/{package}/pyproject.toml",
        "--experimental-namespace-package",
        "--known-first-party=chanx",
        "--package-module-name-map=pydantic=pydantic|pydantic_core",  # released as one
        f"--per-rule-ignores=DEP002={'|'.join(sorted({*optional, *PACKAGES}))}",
    ]


def typed_modules() -> list[str]:
    """Return what the packages mark as typed, without the modules that repeat the names of others."""
    sources = sorted(ROOT.glob("packages/*/src"))
    marks = [mark.relative_to(source) for source in sources for mark in source.rglob("py.typed")]
    modules = [".".join(mark.parent.parts) for mark in marks]
    return [module for module in modules if not module.startswith("chanx.ext")]


def python_of(session: nox.Session) -> str:
    return shutil.which("python", path=session.bin) or sys.executable


def metadata_files() -> list[Path]:
    return [Path("pyproject.toml"), *sorted(Path().glob("packages/*/pyproject.toml"))]


def load(package: str) -> dict[str, Any]:
    return nox.project.load_toml(ROOT / "packages" / package / "pyproject.toml")
