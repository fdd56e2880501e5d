"""What holds for the repository as a whole and belongs to no single package."""

import ast
import importlib
import re
import subprocess
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
# The import paths of each package; a new one is also a root of the contracts in .importlinter.
OWNED = {
    "chanx-asyncapi": {"chanx.asyncapi"},
    "chanx-core": {
        "chanx.constants",
        "chanx.core",
        "chanx.messages",
        "chanx.type_defs",
        "chanx.utils",
    },
    "chanx-django": {"chanx.channels", "chanx.ext.channels"},
    "chanx-fastchannels": {"chanx.fast_channels", "chanx.ext.fast_channels"},
    "chanx-testing": {"chanx.testing"},
}
UNPUBLISHED = "chanx_conformance"  # the tests of every integration
NAMESPACES = ("chanx", "chanx/ext")
# Imported by the `__init__.py` of every import root, so it is private to users only.
SHARED_BY_THE_PACKAGES = {"chanx.core._guard"}
FOLDERS = {".ci", ".github", "conformance", "docs", "packages", "sandboxes"}

each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)


def load(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def contract_list(section: str, option: str) -> list[str]:
    settings = ConfigParser()
    settings.read(ROOT / ".importlinter", encoding="utf-8")
    return settings[section][option].split()


def module_name(path: Path, src: Path) -> str:
    parts = path.relative_to(src).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(package: Path) -> Iterator[tuple[str, Path]]:
    src = package / "src"
    for path in sorted(src.rglob("*.py")):
        yield module_name(path, src), path


def test_packages_are_the_known_ones() -> None:
    assert {package.name for package in PACKAGES} == set(OWNED)


@pytest.mark.parametrize("namespace", ["chanx", "chanx.ext"])
def test_a_namespace_has_no_file_and_one_portion_for_each_package(namespace: str) -> None:
    module = importlib.import_module(namespace)
    portions = {Path(portion).resolve() for portion in module.__path__}
    here = {(package / "src" / namespace.replace(".", "/")).resolve() for package in PACKAGES}

    assert module.__file__ is None
    assert portions == {portion for portion in here if portion.is_dir()}


@each_package
@pytest.mark.parametrize("namespace", NAMESPACES)
def test_no_package_ships_an_init_of_a_namespace(package: Path, namespace: str) -> None:
    assert not (package / "src" / namespace / "__init__.py").exists()


@each_package
def test_a_package_owns_exactly_its_import_paths(package: Path) -> None:
    typed = {module_name(path.parent, package / "src") for path in package.glob("src/**/py.typed")}
    stray = [name for name, _ in modules(package) if not within(name, OWNED[package.name])]

    assert typed == OWNED[package.name]
    assert not stray


def within(name: str, roots: set[str]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def test_every_import_path_is_a_root_of_the_contracts() -> None:
    roots = contract_list("importlinter", "root_packages")

    assert set(roots) == {UNPUBLISHED}.union(*OWNED.values())


def test_the_list_of_private_modules_of_core_is_complete() -> None:
    core = ROOT / "packages" / "chanx-core"
    names = [name for name, _ in modules(core) if name not in SHARED_BY_THE_PACKAGES]
    private = [name for name in names if is_first_private(name)]
    missing_or_gone = "\n".join(f"    {name}" for name in private)

    listed = contract_list("importlinter:contract:core-private", "protected_modules")
    assert listed == private, f"protected_modules of core-private should be:\n{missing_or_gone}"


def is_first_private(name: str) -> bool:
    """A private package protects what is in it, so only its own name is listed."""
    *parents, last = name.split(".")
    return last.startswith("_") and not any(parent.startswith("_") for parent in parents)


@each_package
def test_a_package_declares_every_sibling_it_imports(package: Path) -> None:
    project = load(package / "pyproject.toml")["project"]
    extras = project.get("optional-dependencies", {}).values()
    requirements = [*project["dependencies"], *(item for extra in extras for item in extra)]
    declared = {re.split(r"[^\w.-]", requirement)[0] for requirement in requirements}
    imported = {
        owner
        for _, path in modules(package)
        for name in imported_names(path)
        for owner, roots in OWNED.items()
        if within(name, roots)
    }

    assert imported - {package.name} <= declared


def imported_names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@each_package
def test_every_fragment_of_a_changelog_has_a_type(package: Path) -> None:
    types = "|".join(load(ROOT / ".ci" / "towncrier.toml")["tool"]["towncrier"]["fragment"])
    fragments = [path.name for path in package.glob("changelog.d/*") if path.name != ".gitkeep"]

    assert [name for name in fragments if not re.fullmatch(rf".+\.({types})\.md", name)] == []


@each_package
def test_one_sync_installs_every_extra(package: Path) -> None:
    """What a newcomer runs first has to be enough for all tests."""
    wanted = load(ROOT / "pyproject.toml")["project"]["dependencies"]
    (mine,) = (item for item in wanted if re.split(r"\[", item)[0] == package.name)
    extras = load(package / "pyproject.toml")["project"]["optional-dependencies"]

    assert set(re.findall(r"[\w-]+", mine.removeprefix(package.name))) == set(extras)


@each_package
@pytest.mark.parametrize("part", ["src", "tests"])
def test_pyright_checks_every_package(package: Path, part: str) -> None:
    """A pattern such as `packages/*/src` matches no file, and pyright does not say so."""
    settings = load(ROOT / "pyproject.toml")["tool"]["pyright"]
    included, excluded = (
        [ROOT / name for name in settings[option] if "*" not in name]
        for option in ("include", "exclude")
    )
    files = [*(package / part).rglob("*.py")]

    assert files
    for path in files:
        assert any(path.is_relative_to(folder) for folder in included), path
        assert not any(path.is_relative_to(folder) for folder in excluded), path


def test_top_level_folders_are_those_that_contributing_explains() -> None:
    built = {"build", "dist", "htmlcov", "node_modules", "__pycache__"}
    visible = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    assert visible - built <= FOLDERS
    assert all(f"`{folder}/`" in contributing for folder in FOLDERS)


def test_no_file_is_kept_that_git_is_told_to_ignore() -> None:
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    kept = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert kept == ""


def test_no_file_names_the_repository_of_another_project() -> None:
    """The package `chanx` of others is on GitHub: reports of vulnerabilities would reach them."""
    command = [
        "git",
        "grep",
        "--files-with-matches",
        "-E",
        r"github\.com/[^/ ]+/chanx\b",
        "--",
        ".",
    ]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.split()

    assert [name for name in found if not name.startswith(".ci/tests/")] == []


def test_default_sessions_exist() -> None:
    """One that is missing in noxfile.py keeps every other session from running."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    sessions = {name for node in tree.body for name in session_names(node)}
    (defaults,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "nox.options.sessions"
    )
    assert isinstance(defaults, ast.List)
    wanted = {item.value for item in defaults.elts if isinstance(item, ast.Constant)}
    assert wanted
    assert wanted <= sessions


def test_contributing_has_a_line_for_every_session() -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = re.search(r"^\| session \|.*?\n\n", text, re.MULTILINE | re.DOTALL)
    assert table
    rows = [row.split("|")[1] for row in table.group().splitlines()[2:] if row]
    listed = {name for names in rows for name in re.findall(r"`([\w-]+)`", names)}

    assert listed == {name for node in tree.body for name in session_names(node)}


def session_names(node: ast.stmt) -> Iterator[str]:
    """Yield the name of the session that a statement of noxfile.py defines, if it does."""
    if not isinstance(node, ast.FunctionDef):
        return
    for decorator in node.decorator_list:
        if ast.unparse(decorator).startswith("nox.session"):
            keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
            names = [ast.literal_eval(item.value) for item in keywords if item.arg == "name"]
            yield names[0] if names else node.name


def test_the_job_queue_is_where_it_belongs() -> None:
    """It asks for an old redis, so one dependency group of one sandbox has it, and nothing else."""
    locked = load(ROOT / "uv.lock")["package"]
    asking = {
        (package["name"], group)
        for package in locked
        for group, names in {
            "": package.get("dependencies", []),
            **package.get("optional-dependencies", {}),
            **package.get("dev-dependencies", {}),
        }.items()
        if any(item["name"] == "arq" for item in names)
    }
    redis = {int(item["version"].split(".")[0]) for item in locked if item["name"] == "redis"}

    assert asking == {("sandbox-fastapi", "jobs")}
    assert [item["version"] for item in locked if item["name"] == "arq"] >= ["0.26"]
    assert min(redis) < 6 <= max(redis)
