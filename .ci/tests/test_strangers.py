"""The local index that packages are installed from by name, and the run of a README's example."""

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / ".ci" / "readme_example.py"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def strangers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("strangers", ROOT / ".ci" / "strangers.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_wheel(place: Path, name: str, says: str, *requires: str) -> None:
    """Write a wheel of one module that says something."""
    place.mkdir(exist_ok=True)
    info = f"{name}-1.0.dist-info"
    needs = "".join(f"Requires-Dist: {item}\n" for item in requires)
    files = {
        f"{name}.py": f"SAYS = {says!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(place / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        for file, content in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, content)


def test_names_are_found_in_the_index_with_what_they_need_and_before_those_of_others(
    strangers: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(tmp_path / "theirs", "planted_base", "theirs")
    write_wheel(tmp_path / "theirs", "planted_other", "theirs")
    write_wheel(tmp_path / "ours", "planted_base", "ours")
    write_wheel(tmp_path / "ours", "planted_top", "ours", "planted-base<2", "planted-other")
    strangers.fill(tmp_path / "index" / "simple", tmp_path / "ours")
    strangers.fill(tmp_path / "their-index" / "simple", tmp_path / "theirs")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")

    with (
        strangers.served(tmp_path / "index") as ours,
        strangers.served(tmp_path / "their-index") as theirs,
    ):
        monkeypatch.setenv("PIP_INDEX_URL", f"{theirs}/simple/")
        python = strangers.new_environment(tmp_path / "environment")
        strangers.install(python, "planted-top", f"{ours}/simple/")

    ask = "import planted_base, planted_other, planted_top as top; "
    ask += "print(top.SAYS, planted_base.SAYS, planted_other.SAYS)"
    done = subprocess.run([python, "-I", "-c", ask], check=True, capture_output=True, text=True)
    assert done.stdout == "ours ours theirs\n"


def run_example(place: Path, package: str, old: str = "", new: str = "") -> str:
    """Run the example of a package's README with a part replaced; return its last line."""
    readme = place / package / "README.md"
    readme.parent.mkdir()
    text = (ROOT / "packages" / package / "README.md").read_text("utf-8")
    assert old in text
    readme.write_text(text.replace(old, new), "utf-8")
    command = [sys.executable, "-I", "-W", "error", str(EXAMPLE), str(readme)]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().splitlines()[-1]


PACKAGES = ["chanx-core", "chanx-asyncapi", "chanx-django", "chanx-fastchannels", "chanx-testing"]


@pytest.mark.parametrize("package", PACKAGES)
def test_an_example_that_does_what_it_says_is_fine(tmp_path: Path, package: str) -> None:
    assert run_example(tmp_path, package) == f"ran the example of {package}"


@pytest.mark.parametrize("package", ["chanx-core", "chanx-django", "chanx-fastchannels"])
def test_an_example_that_answers_something_else_is_not(tmp_path: Path, package: str) -> None:
    said = run_example(tmp_path, package, ".upper()", ".lower()")

    assert said == "AssertionError: {'action': 'shout', 'payload': 'hello'}"


def test_an_example_whose_own_test_fails_is_not(tmp_path: Path) -> None:
    assert "AssertionError" in run_example(tmp_path, "chanx-testing", ".upper()", ".lower()")
