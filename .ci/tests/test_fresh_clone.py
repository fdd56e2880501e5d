"""What somebody does first: clone, install, activate, start the demo."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START = """
git clone --quiet "$REPOSITORY" chanx
cd chanx
uv sync --all-extras --quiet
source .venv/bin/activate
cd sandboxes/fastapi
exec python sandbox_fastapi/start_dev.py --port "$PORT"
"""
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


def test_the_quick_start_of_a_fresh_clone(tmp_path: Path) -> None:
    port = free_port()
    foreign = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "REDIS_URL", "PYTHONPATH")
    inherited = {name: value for name, value in os.environ.items() if name not in foreign}
    environment = {**inherited, "REPOSITORY": str(ROOT), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    said: list[str] = []
    with subprocess.Popen(
        ["bash", "-euc", START],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
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
            demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(TIME_LIMIT) == 0, [*said, rest]
    assert rest.endswith("Stopped.\n")
