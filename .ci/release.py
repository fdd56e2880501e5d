"""Prepare the release of one package: version, changelog and commit. Nothing leaves this machine.

    nox -s release -- PACKAGE major|minor|patch|current [--dry-run]

`current` releases the version that is written down already, as the first release does.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))


def main() -> None:
    """Do it, or with --dry-run say what would be done."""
    parser = argparse.ArgumentParser(prog="nox -s release --")
    parser.add_argument("package", choices=PACKAGES)
    parser.add_argument("bump", choices=["major", "minor", "patch", "current"])
    parser.add_argument("--dry-run", action="store_true", help="change nothing")
    options = parser.parse_args()
    version = next_version(options.package, options.bump)
    tag = f"{options.package}-v{version}"
    check(options.package, tag, clean=not options.dry_run)
    if options.dry_run:
        print(f"would release {options.package} {version} with this changelog:\n")
        print(towncrier(options.package, version, "--draft"))
    else:
        commit(options.package, version, tag)
    for sibling in left_behind(options.package, version):
        print(
            f"{sibling} does not allow {options.package} {version}: raise its range, release it next"
        )


def check(package: str, tag: str, *, clean: bool) -> None:
    """End unless there is something to release and nothing in its way."""
    if clean and run("git", "status", "--porcelain"):
        sys.exit("there are uncommitted changes: commit or stash them first")
    if not any((ROOT / "packages" / package / "changelog.d").glob("*.md")):
        sys.exit(f"packages/{package}/changelog.d has no fragment: there is nothing to release")
    if run("git", "tag", "--list", tag):
        sys.exit(f"there is a tag {tag} already: choose another part of the version")


def commit(package: str, version: str, tag: str) -> None:
    """Write version and changelog, commit both, and say how to go on."""
    run("uv", "version", "--package", package, "--frozen", version)
    run("uv", "lock")
    towncrier(package, version, "--yes")
    run("git", "add", "--all", f"packages/{package}", "uv.lock")
    run("git", "commit", "--quiet", "--message", f"Release {package} {version}")
    print(f"committed. When it is on main:\n\n    git tag -a {tag} -m '{package} {version}'")
    print(f"    git push origin {tag}\n")


def next_version(package: str, bump: str) -> str:
    command = ["uv", "version", "--package", package, "--short"]
    if bump != "current":
        command += ["--bump", bump, "--dry-run"]
    return run(*command)


def towncrier(package: str, version: str, option: str) -> str:
    where = ["--config", ".ci/towncrier.toml", "--dir", f"packages/{package}", "--name", package]
    return run("towncrier", "build", *where, "--version", version, option)


def left_behind(package: str, version: str) -> list[str]:
    """Return the packages whose range of `package` ends before `version`."""
    return [
        name for name in PACKAGES if not all(admits(item, package, version) for item in needs(name))
    ]


def needs(package: str) -> list[str]:
    project = tomllib.loads((ROOT / "packages" / package / "pyproject.toml").read_text("utf-8"))
    extras = project["project"].get("optional-dependencies", {}).values()
    return [*project["project"]["dependencies"], *(item for extra in extras for item in extra)]


def admits(requirement: str, package: str, version: str) -> bool:
    """Tell whether a requirement allows the version; ours are written `name>=a.b,<c.d`."""
    found = re.fullmatch(rf"{package}(?:\[.*\])?>=[\d.]+,<([\d.]+)", requirement)
    return found is None or numbers(version) < numbers(found[1])


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
