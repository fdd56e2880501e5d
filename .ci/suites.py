"""Test suites that several sessions of noxfile.py run, and checks that follow their tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import nox
from choices import DEPLOYMENTS
from environments import sync
from programs import find_postgres, valkey_server
from wheels import ROOT

BRANCHES = 95.0  # percent of the branches that tests take; statements have their own limit


def run_marked(
    session: nox.Session,
    suite: Sequence[str],
    marker: str,
    *,
    launcher: Sequence[str] = (),
    env: dict[str, str] | None = None,
) -> None:
    """Run the tests of a sandbox or a page that a marker selects, started by `launcher` if given."""
    folder, tests, *selection = suite
    sync(session, *selection)
    # As a module: then the folder is on the import path.
    command = [*launcher, "python", "-m", "pytest", tests, f"-m={marker}", *session.posargs]
    with session.chdir(ROOT / folder):
        session.run(*command, env=env)


def run_simulation(session: nox.Session, seeds: str) -> None:
    """Simulate the engine for a number of seeds, on all processors."""
    sync(session, "--package=chanx-core", "--group=test")
    tests = "packages/chanx-core/tests/simulation"
    session.run("pytest", tests, "--timeout=3600", env={"SIMULATION_SEEDS": seeds})


def run_on_servers(session: nox.Session, *options: str) -> None:
    """Run the tests on real servers that `options` select."""
    sync(session, "--package=sandbox-servers", "--group=test")
    with session.chdir(ROOT / "sandboxes" / "servers"):
        session.run("python", "-m", "pytest", "sandbox_servers/tests", *options, *session.posargs)


def rehearse(session: nox.Session, sandbox: str) -> None:
    """Install a sandbox as its Dockerfile does, then run its servers as its compose.yaml does."""
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


def check_coverage(session: nox.Session) -> None:
    """Combine what test runs have measured, and fail where it is too little."""
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")
    # The report's limit is for statements and branches together, and there are far more statements.
    report = Path(session.create_tmp()).resolve() / "coverage.json"
    session.run("coverage", "json", "--quiet", "-o", str(report))
    totals = json.loads(report.read_text(encoding="utf-8"))["totals"]
    percent = 100 * totals["covered_branches"] / totals["num_branches"]
    session.log(f"{percent:.1f} percent of the branches are taken")
    if percent < BRANCHES:
        session.error(f"tests take less than {BRANCHES:g} percent of the branches")
