"""The command that prepares a release, in clones of this repository."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, ".ci/release.py"]
SCRIPTS = str(Path(sys.executable).parent)  # towncrier is there
FRAGMENT = "packages/chanx-core/changelog.d/+planted.added.md"
ADDRESS = '\n[project.urls]\nRepository = "https://example.org/chanx"\n'
MARKER = "<!-- towncrier release notes start -->\n"

pytestmark = pytest.mark.timeout(120)


def git(place: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=place, check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with the command as it is here, committed or not, all at 0.1.0, and one fragment of chanx-core."""
    place = tmp_path / "clone"
    git(ROOT, "clone", "--quiet", str(ROOT), str(place))
    for variable in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{variable}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{variable}_EMAIL", "ada@example.org")
    for tag in git(place, "tag", "--list").split():
        git(place, "tag", "--delete", tag)
    for name in ("release.py", "towncrier.toml"):
        (place / ".ci" / name).write_bytes((ROOT / ".ci" / name).read_bytes())
    for old in place.glob("packages/chanx-core/changelog.d/*.md"):
        old.unlink()
    (place / FRAGMENT).write_text("Orders messages by their taste.\n")
    as_before_any_release(place)
    save(place)
    return place


def as_before_any_release(place: Path) -> None:
    """Take versions, ranges and changelogs back, so that these tests say the same after a release."""
    for path in place.glob("packages/*/pyproject.toml"):
        text = re.sub(r'(?m)^version = ".*"$', 'version = "0.1.0"', path.read_text("utf-8"))
        text = re.sub(r'("chanx-\w+(?:\[.*?\])?)>=[\d.]+,<[\d.]+"', r'\1>=0.1,<0.2"', text)
        if "[project.urls]" not in text:
            text += ADDRESS
        path.write_text(text, "utf-8")
    for path in place.glob("packages/*/CHANGELOG.md"):
        path.write_text("".join(path.read_text("utf-8").partition(MARKER)[:2]), "utf-8")
    lock = place / "uv.lock"
    versions = r'(name = "chanx-(?!workspace)\w+"\nversion = )".*"'
    lock.write_text(re.sub(versions, r'\1"0.1.0"', lock.read_text("utf-8")), "utf-8")


def save(place: Path) -> None:
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "Prepare the test")


def release(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": os.pathsep.join([SCRIPTS, os.environ["PATH"]])}
    return subprocess.run(
        [*COMMAND, *arguments], cwd=place, env=environment, capture_output=True, text=True
    )


def released(place: Path, *arguments: str) -> str:
    done = release(place, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refused(place: Path, *arguments: str) -> str:
    """Return why the command does nothing."""
    before = git(place, "rev-parse", "HEAD"), git(place, "status", "--porcelain")
    done = release(place, *arguments)
    assert done.returncode != 0, done.stdout
    assert (git(place, "rev-parse", "HEAD"), git(place, "status", "--porcelain")) == before
    return done.stderr


def project(place: Path, package: str) -> dict[str, object]:
    text = (place / "packages" / package / "pyproject.toml").read_text("utf-8")
    found: dict[str, object] = tomllib.loads(text)["project"]
    return found


def changelog(place: Path, package: str) -> str:
    return (place / "packages" / package / "CHANGELOG.md").read_text("utf-8")


def test_a_minor_release_is_one_commit_with_version_and_changelog(clone: Path) -> None:
    before = changelog(clone, "chanx-core")

    said = released(clone, "chanx-core", "minor")

    assert "git tag -a chanx-core-v0.2.0 " in said
    assert "git push origin chanx-core-v0.2.0" in said
    assert git(clone, "log", "-2", "--format=%s").splitlines() == [
        "Release chanx-core 0.2.0",
        "Prepare the test",
    ]
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "tag", "--list") == ""
    assert project(clone, "chanx-core")["version"] == "0.2.0"
    head, marker, _ = before.partition(MARKER)
    assert re.match(
        re.escape(head + marker)
        + r"\n## 0\.2\.0 \(\d{4}-\d\d-\d\d\)\n\n### Added\n\n- Orders messages by their taste\.\n",
        changelog(clone, "chanx-core"),
    )
    assert not (clone / FRAGMENT).exists()
    assert (clone / FRAGMENT).with_name(".gitkeep").exists()
    subprocess.run(["uv", "lock", "--check", "--quiet"], cwd=clone, check=True)


def test_siblings_allow_the_new_version_and_say_so_in_their_next_release(clone: Path) -> None:
    said = released(clone, "chanx-core", "minor")

    for sibling in ("chanx-asyncapi", "chanx-django", "chanx-fastchannels", "chanx-testing"):
        assert f"{sibling} allows chanx-core 0.2.0 from now on: release it next" in said
        assert "chanx-core>=0.1,<0.3" in str(project(clone, sibling)["dependencies"])
    assert "chanx-asyncapi>=0.1,<0.2" in str(project(clone, "chanx-django"))  # that one is not new
    released(clone, "chanx-django", "patch")
    assert "- Allows chanx-core 0.2.0.\n" in changelog(clone, "chanx-django")


def test_ranges_of_extras_are_raised_too(clone: Path) -> None:
    said = released(clone, "chanx-testing", "major")

    assert "chanx-django allows chanx-testing 1.0.0" in said
    assert "chanx-testing>=0.1,<2" in str(project(clone, "chanx-django")["optional-dependencies"])


@pytest.mark.parametrize(("bump", "version"), [("patch", "0.1.1"), ("current", "0.1.0")])
def test_a_version_that_siblings_allow_leaves_them_alone(
    clone: Path, bump: str, version: str
) -> None:
    said = released(clone, "chanx-core", bump)

    assert f"chanx-core-v{version}" in said
    assert "from now on" not in said
    assert set(git(clone, "show", "--name-only", "--format=", "HEAD").splitlines()) <= {
        "packages/chanx-core/CHANGELOG.md",
        "packages/chanx-core/pyproject.toml",
        FRAGMENT,
        "uv.lock",
    }


def test_a_dry_run_shows_everything_and_changes_nothing(clone: Path) -> None:
    (clone / "notes.txt").touch()  # nor does it ask for a clean tree
    before = git(clone, "rev-parse", "HEAD"), git(clone, "status", "--porcelain")

    said = released(clone, "chanx-core", "minor", "--dry-run")

    assert "would release chanx-core 0.2.0 with this changelog" in said
    assert "- Orders messages by their taste." in said
    assert "chanx-django would allow chanx-core 0.2.0" in said
    assert (git(clone, "rev-parse", "HEAD"), git(clone, "status", "--porcelain")) == before
    assert (clone / FRAGMENT).exists()


def test_a_tree_with_changes_is_refused(clone: Path) -> None:
    (clone / "notes.txt").touch()

    assert "there are uncommitted changes: commit or stash them" in refused(
        clone, "chanx-core", "minor"
    )


def test_a_package_without_fragments_is_refused(clone: Path) -> None:
    (clone / FRAGMENT).unlink()
    save(clone)

    said = refused(clone, "chanx-core", "minor")

    assert "packages/chanx-core/changelog.d has no fragment: there is nothing to release" in said


def test_a_package_without_the_address_of_its_repository_is_refused(clone: Path) -> None:
    path = clone / "packages" / "chanx-core" / "pyproject.toml"
    path.write_text(path.read_text("utf-8").replace("Repository =", "Homepage ="), "utf-8")
    save(clone)

    said = refused(clone, "chanx-core", "minor")

    assert "packages/chanx-core/pyproject.toml has no [project.urls] with a Repository" in said


def test_a_fragment_of_a_type_that_nobody_knows_is_refused(clone: Path) -> None:
    (clone / FRAGMENT).with_name("+other.improved.md").write_text("It is better.\n")
    save(clone)

    assert "+other.improved.md" in refused(clone, "chanx-core", "minor")


def test_a_version_that_has_its_tag_is_refused(clone: Path) -> None:
    git(clone, "tag", "chanx-core-v0.2.0")

    assert "there is a tag chanx-core-v0.2.0 already" in refused(clone, "chanx-core", "minor")


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (["chanx-cor", "minor"], "chanx-core"),
        (["chanx-core", "medium"], "minor"),
        (["chanx-core"], "bump"),
    ],
)
def test_what_nobody_knows_is_refused_with_what_there_is(
    clone: Path, arguments: list[str], known: str
) -> None:
    assert known in refused(clone, *arguments)


def test_without_a_name_for_the_commit_nothing_is_changed(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{variable}_NAME")
        monkeypatch.delenv(f"GIT_{variable}_EMAIL")
    for variable in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(variable, os.devnull)
    git(clone, "config", "user.useConfigOnly", "true")

    assert "user.email" in refused(clone, "chanx-core", "minor")
