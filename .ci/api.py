"""Compare the public API of each package with that of its last released tag.

What breaks users needs a fragment of type `removed` or `changed` in the package's changelog.d, or this fails.
"""

import subprocess
import sys
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))


def main() -> None:
    """Go through all packages, then fail if one of them breaks without saying so."""
    silent = [package for package in PACKAGES if not is_fine(package)]
    if silent:
        sys.exit(f"no fragment says what breaks in: {', '.join(silent)}")


def is_fine(package: str) -> bool:
    tag = last_tag(package)
    if tag is None:
        print(f"{package}: there is no tag {package}-v* yet, so there is nothing to compare with")
        return True
    breakages = list(breaking_changes(package, tag))
    for breakage in breakages:
        print(breakage.explain())
    print(f"{package}: {len(breakages)} breaking changes since {tag}")
    return not breakages or says_so(package)


def last_tag(package: str) -> str | None:
    command = ["git", "tag", "--list", f"{package}-v*", "--merged", "HEAD", "--sort=-v:refname"]
    tags = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return next(iter(tags.split()), None)


def breaking_changes(package: str, tag: str) -> list[griffe.Breakage]:
    """Return what is different in the import paths that the package owns."""
    source = f"packages/{package}/src"
    found: list[griffe.Breakage] = []
    for module in modules(ROOT / source):
        new = griffe.load(module, search_paths=[ROOT / source])
        try:
            old = griffe.load_git(module, ref=tag, repo=ROOT, search_paths=[source])
        except ModuleNotFoundError:
            continue  # it is new
        found += griffe.find_breaking_changes(old, new)
    return found


def modules(source: Path) -> list[str]:
    """Return the topmost packages that are no namespaces."""
    marked = (path.parent.relative_to(source) for path in source.rglob("py.typed"))
    return sorted(".".join(path.parts) for path in marked)


def says_so(package: str) -> bool:
    folder = ROOT / "packages" / package / "changelog.d"
    return any(folder.glob("*.removed.md")) or any(folder.glob("*.changed.md"))


if __name__ == "__main__":
    main()
