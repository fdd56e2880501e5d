"""What the sessions of noxfile.py are run for: sandboxes, pages, versions of Python and of frameworks."""

from __future__ import annotations

import sys

import nox
from environments import EVERYTHING
from matrix import read_cells
from python_discovery import get_interpreter
from wheels import ROOT

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
# Pages that are looked at in a browser: the folder, the tests in it, and their environment.
PAGES = {
    "asyncapi": (".", "packages/chanx-asyncapi/tests", *EVERYTHING, "--group=test"),
    **{name: (f"sandboxes/{name}", *rest) for name, rest in SANDBOXES.items() if name != "mixed"},
}
MATRIX = ROOT / ".ci" / "matrix.toml"
CELLS = read_cells(MATRIX)
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
OTHERS = sorted({INSTALLED[0], INSTALLED[-1]} - {RUNNING})
"""The oldest and the newest Python on this machine, beside the one that runs nox."""
