"""Prepare the release of one package: version, changelog and commit. Nothing leaves this machine.

    nox -s release -- PACKAGE major|minor|patch|current [--dry-run]

`current` releases the version that is written down already, as the first release does. Siblings whose range ends before
the new version are made to allow it in the same commit, each with a fragment for its own next release.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

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
    behind = left_behind(options.package, version)
    if options.dry_run:
        print(f"would release {options.package} {version} with this changelog:\n")
        print(towncrier(options.package, version, "--draft"))
    else:
        commit(options.package, version, tag, behind)
    for sibling in behind:
        tense = "would allow" if options.dry_run else "allows"
        print(f"{sibling} {tense} {options.package} {version} from now on: release it next")


def check(package: str, tag: str, *, clean: bool) -> None:
    """End unless there is something to release and nothing in its way."""
    if clean and run("git", "status", "--porcelain"):
        sys.exit("there are uncommitted changes: commit or stash them first")
    if not any(fragments(package).glob("*.md")):
        sys.exit(f"packages/{package}/changelog.d has no fragment: there is nothing to release")
    if "Repository" not in project(package).get("urls", {}):
        sys.exit(
            f"packages/{package}/pyproject.toml has no [project.urls] with a Repository: "
            "see 'Before the first release' in CONTRIBUTING.md"
        )
    if run("git", "tag", "--list", tag):
        sys.exit(f"there is a tag {tag} already: choose another part of the version")
    run("git", "var", "GIT_COMMITTER_IDENT")


def commit(package: str, version: str, tag: str, behind: list[str]) -> None:
    """Write version, changelog and the ranges of the siblings, commit them, and say how to go on."""
    towncrier(package, version, "--yes")
    run("uv", "version", "--package", package, "--frozen", version)
    for sibling in behind:
        allow(sibling, package, version)
    run("uv", "lock")
    run("git", "add", "--all")
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
    """Return the packages with a range of `package` that ends before `version`."""
    return [
        name
        for name in PACKAGES
        if any(numbers(version) >= numbers(found[2]) for found in ranges(name, package))
    ]


def allow(sibling: str, package: str, version: str) -> None:
    """Let the sibling's range end behind the version, and say so in its changelog."""
    text = metadata(sibling).read_text("utf-8")
    end = after(version)
    for found in reversed(ranges(sibling, package)):
        text = text[: found.start(2)] + end + text[found.end(2) :]
    metadata(sibling).write_text(text, "utf-8")
    note = fragments(sibling) / f"+{package}-{version}.changed.md"
    note.write_text(f"Allows {package} {version}.\n", "utf-8")


def ranges(sibling: str, package: str) -> list[re.Match[str]]:
    """Find the requirements of a package; ours are written `name[extra]>=a.b,<c.d`."""
    pattern = rf'"{package}(\[[^\]]*\])?>=[\d.]+,<([\d.]+)"'
    return list(re.finditer(pattern, metadata(sibling).read_text("utf-8")))


def after(version: str) -> str:
    """Return the first version that may break: before 1.0 the next minor one."""
    major, minor, *_ = numbers(version)
    return f"0.{minor + 1}" if major == 0 else str(major + 1)


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def metadata(package: str) -> Path:
    return ROOT / "packages" / package / "pyproject.toml"


def project(package: str) -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads(metadata(package).read_text("utf-8"))["project"]
    return content


def fragments(package: str) -> Path:
    return ROOT / "packages" / package / "changelog.d"


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
