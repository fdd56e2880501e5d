"""The comparison of the public API with that of the last tag, in clones of this repository."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = "packages/chanx-core/src/chanx/type_defs"
FRAGMENTS = "packages/chanx-core/changelog.d"

pytestmark = pytest.mark.timeout(180)


def git(place: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=place, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone without tags, and without fragments of chanx-core."""
    place = tmp_path / "clone"
    git(ROOT, "clone", "--quiet", str(ROOT), str(place))
    for tag in git(place, "tag", "--list").split():
        git(place, "tag", "--delete", tag)
    (place / ".ci" / "api.py").write_bytes((ROOT / ".ci" / "api.py").read_bytes())
    for fragment in place.glob(f"{FRAGMENTS}/*.md"):
        fragment.unlink()
    (place / MODULE / "planted.py").write_text(
        '__all__ = ["greet"]\n\n\ndef greet(name: str) -> str:\n    return name\n'
    )
    save(place)
    return place


def save(place: Path) -> None:
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "Change something")


def compare(place: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ".ci/api.py"]
    return subprocess.run(command, cwd=place, capture_output=True, text=True)


def test_without_a_tag_there_is_nothing_to_compare_with(clone: Path) -> None:
    done = compare(clone)

    assert done.returncode == 0, done.stderr
    assert "chanx-core: there is no tag chanx-core-v* yet" in done.stdout


def test_what_breaks_users_has_to_be_in_the_changelog(clone: Path) -> None:
    git(clone, "tag", "chanx-core-v0.9.0")
    git(clone, "tag", "chanx-core-v0.10.0")  # the last by its number, not by its letters
    (clone / MODULE / "planted.py").write_text("__all__: list[str] = []\n")
    save(clone)

    silent = compare(clone)
    (clone / FRAGMENTS / "+greet.removed.md").write_text("`greet` is gone.\n")
    told = compare(clone)

    assert silent.returncode != 0
    assert "greet" in silent.stdout
    assert "chanx-core: 1 breaking changes since chanx-core-v0.10.0" in silent.stdout
    assert silent.stderr == "no fragment says what breaks in: chanx-core\n"
    assert told.returncode == 0, told.stderr


def test_what_is_new_breaks_nobody(clone: Path) -> None:
    git(clone, "tag", "chanx-core-v0.1.0")
    planted = clone / MODULE / "planted.py"
    planted.write_text(planted.read_text().replace("name: str", 'name: str = "you"'))
    save(clone)

    done = compare(clone)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "chanx-core: 0 breaking changes since chanx-core-v0.1.0" in done.stdout
