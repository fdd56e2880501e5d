"""The environment of each peer, made by uv from the pinned requirements and kept between runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .peers import Peer

__all__ = ["CLIENT", "CONSTRAINTS", "HERE", "ROOT", "VALKEY", "Environments"]

HERE = Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
UV = os.environ.get("UV", "uv")  # set by `uv run`, also where uv is not on the path
CONSTRAINTS = HERE / "constraints.txt"
CLIENT = Peer("client", "the client of the servers", "client")
VALKEY = Peer("valkey", "the server behind the layers", "redis_server")


class Environments:
    """Makes environments when they are first asked for.

    Packages of this checkout are built and installed as a user would get them, once in each run.
    """

    def __init__(self, directory: Path, python: str, tell: Callable[[str], None]) -> None:
        self._directory = directory
        self._python = found_python(python)
        self._tell = tell
        self._wheels: dict[str, Path] = {}
        self._ready: dict[str, Path] = {}

    @property
    def version(self) -> str:
        """The version of the peers' interpreter."""
        command = [self._python, "-c", "import platform; print(platform.python_version())"]
        return subprocess.check_output(command, text=True).strip()

    def python(self, peer: Peer) -> Path:
        """Return the interpreter of a peer's environment."""
        if peer.name not in self._ready:
            self._tell(f"environment {peer.name}")
            self._ready[peer.name] = self._prepare(peer)
        return self._ready[peer.name]

    def _prepare(self, peer: Peer) -> Path:
        place = self._directory / peer.name
        python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        requirements = HERE / "peers" / f"{peer.name}.txt"
        wanted = f"{self._python}\n{CONSTRAINTS.read_text()}\n{requirements.read_text()}"
        stamp = place / "made-from.txt"
        if not stamp.exists() or stamp.read_text() != wanted:
            uv("venv", "--clear", f"--python={self._python}", str(place))
            install(python, f"--requirements={requirements}")
            stamp.write_text(wanted)
        if peer.packages:
            wheels = [str(self._wheel(package)) for package in peer.packages]
            install(python, "--reinstall", "--no-deps", *wheels)
            uv("pip", "check", f"--python={python}")
        return python

    def _wheel(self, package: str) -> Path:
        if package not in self._wheels:
            target = self._directory / "wheels" / package
            shutil.rmtree(target, ignore_errors=True)
            uv("build", "--wheel", "--no-sources", f"--package={package}", f"--out-dir={target}")
            (self._wheels[package],) = target.glob("*.whl")
        return self._wheels[package]


def install(python: Path, *arguments: str) -> None:
    """Install into an environment; members of the workspace never come in by their source."""
    options = (f"--python={python}", f"--constraints={CONSTRAINTS}", "--no-sources")
    uv("pip", "install", *options, *arguments)


def uv(*arguments: str) -> str:
    """Run uv in the checkout and return what it prints."""
    command = [UV, *arguments, "--quiet"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def found_python(version: str) -> str:
    """Return the path of an interpreter, or of the running one where there is none of that version."""
    command = [UV, "python", "find", "--no-project", "--no-python-downloads", version]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else sys.executable
