"""What the sessions of noxfile.py are run for: sandboxes, pages, versions of Python and of frameworks."""

from __future__ import annotations

import sys

import nox
from environments import EVERYTHING
from matrix import read_cells
from python_discovery import get_interpreter
from wheels import ROOT

# The sandboxes: folder, tests in it, and what selects the environment from the lock.
SANDBOXES = {
    "fastapi": (
        "sandboxes/fastapi",
        "sandbox_fastapi/tests",
        "--package=sandbox-fastapi",
        "--group=test",
        "--group=jobs",
    ),
    "django": ("sandboxes/django", "tests", "--package=sandbox-django", "--group=test"),
    "mixed": (
        "sandboxes/mixed",
        "sandbox_mixed/tests",
        "--package=sandbox-mixed",
        "--group=test",
    ),
}
# Pages that are tested in a browser, in the same form.
PAGES = {
    "asyncapi": (".", "packages/chanx-asyncapi/tests", *EVERYTHING, "--group=test"),
    "fastapi": SANDBOXES["fastapi"],
    "django": SANDBOXES["django"],
}
MATRIX = ROOT / ".ci" / "matrix.toml"
CELLS = [nox.param(cell.python, cell, id=str(cell)) for cell in read_cells(MATRIX)]
TOGETHER = nox.project.load_toml(MATRIX)["wheels"]
# Which files follow which schema.
SCHEMAS = {
    "compose-spec": "sandboxes/*/compose.yaml",
    "dependabot": ".github/dependabot.yml",
    "github-workflows": ".github/workflows/*.yml",
}
# Where each sandbox has its install.sh and rehearsal.py.
DEPLOYMENTS = {"fastapi": "deploy", "django": "deployment"}

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
SUPPORTED = nox.project.python_versions(
    nox.project.load_toml(ROOT / "packages" / "chanx-core" / "pyproject.toml")
)
PYTHONS = SUPPORTED if RUNNING in SUPPORTED else [*SUPPORTED, RUNNING]
INSTALLED = [python for python in PYTHONS if python == RUNNING or get_interpreter(python)]
# The sessions that test the engine from the tree, on the oldest and the newest other Python of this machine.
OTHER_PYTHONS = [
    f"tests-{python}({package})"
    for python in sorted({INSTALLED[0], INSTALLED[-1]} - {RUNNING})
    for package in ("chanx-core", "chanx-fastchannels")
]
