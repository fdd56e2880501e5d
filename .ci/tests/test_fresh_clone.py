"""What somebody does first: clone, install, start the demo, with what the system has."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLONE = """
git clone --quiet "$REPOSITORY" chanx
cd chanx
"""
QUICK_START = f"""{CLONE}
uv sync --all-extras --quiet
source .venv/bin/activate
cd sandboxes/fastapi
exec python sandbox_fastapi/start_dev.py --port "$PORT"
"""
README = (ROOT / "README.md").read_text(encoding="utf-8")
(DEMO,) = re.findall(r"^python3 -m venv .*start_dev\.py$", README, re.MULTILINE)
(ONE_PACKAGE,) = re.findall(r"^python3 -m venv .* pytest packages/[\w-]+$", README, re.MULTILINE)
# Only the Python of the distribution, which refuses `pip install` outside a virtual environment.
SYSTEM_PATH = "/usr/bin:/bin"
TIME_LIMIT = 10  # seconds, for an answer and for the end

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix is in the documentation"),
    pytest.mark.timeout(600),  # all packages of the lock may have to be downloaded
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**more: str) -> dict[str, str]:
    foreign = ("VIRTUAL_ENV", "UV", "UV_PROJECT_ENVIRONMENT", "REDIS_URL", "PYTHONPATH")
    inherited = {name: value for name, value in os.environ.items() if name not in foreign}
    return {**inherited, "REPOSITORY": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


def system_python_can_make_environments() -> bool:
    python = shutil.which("python3", path=SYSTEM_PATH)
    check = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
    return (
        bool(python) and subprocess.run([python, "-c", check], capture_output=True).returncode == 0
    )


with_system_python = pytest.mark.skipif(
    not system_python_can_make_environments(),
    reason="needs the system's Python 3.11 or newer, with the package python3-venv",
)


@pytest.mark.parametrize(
    ("script", "path"),
    [
        pytest.param(QUICK_START, os.environ["PATH"], id="quick start"),
        pytest.param(
            f'{CLONE}\n{DEMO} --port "$PORT"', SYSTEM_PATH, id="README", marks=with_system_python
        ),
    ],
)
def test_the_quick_start_of_a_fresh_clone(script: str, path: str, tmp_path: Path) -> None:
    port = free_port()
    said: list[str] = []
    with subprocess.Popen(
        ["bash", "-euc", script],
        cwd=tmp_path,
        env=environment(PATH=path, PORT=str(port)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl+C reaches everything that runs in a terminal
    ) as demo:
        assert demo.stdout
        try:
            for line in demo.stdout:
                said.append(line)
                if "Ctrl+C stops everything" in line:
                    break
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=TIME_LIMIT) as page:
                assert "<title>" in page.read().decode(), said
        finally:
            if demo.poll() is None:
                os.killpg(demo.pid, signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(TIME_LIMIT) == 0, [*said, rest]
    assert "Stopped.\n" in rest


@with_system_python
def test_the_tests_of_one_package_in_a_fresh_clone(tmp_path: Path) -> None:
    """As the README says, but only collected: they run elsewhere."""
    done = subprocess.run(
        ["bash", "-euc", f"{CLONE}\n{ONE_PACKAGE} --collect-only --quiet"],
        cwd=tmp_path,
        env=environment(PATH=SYSTEM_PATH),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "tests collected" in done.stdout
