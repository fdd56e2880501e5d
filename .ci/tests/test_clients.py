"""Generated clients in Python under strict type checkers: those of the sandboxes, and those of random documents."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from random_documents import Documents

from chanx.asyncapi._client.python.emitter import python_files
from chanx.asyncapi._client.reading import read_client

ROOT = Path(__file__).parents[2]
DOCUMENTS = int(os.environ.get("CLIENT_DOCUMENTS", "60"))
SANDBOXES = {
    "django": ("config.settings", {"DJANGO_SETTINGS_MODULE": "config.settings"}),
    "fastapi": ("sandbox_fastapi.main:app", {}),
    "mixed": ("sandbox_mixed.django_settings", {"DJANGO_SETTINGS_MODULE": "sandbox_mixed.django_settings"}),
}  # fmt: skip
pytestmark = pytest.mark.skipif(
    "CLIENTS" not in os.environ, reason="the session `clients` has the type checkers"
)


def check(folder: Path, *, is_whole: bool) -> None:
    """Hold every package of a folder against mypy, and all of it if asked, each in one run."""
    environment = {**os.environ, "MYPYPATH": str(folder)}
    settings = {"include": ["."], "typeCheckingMode": "strict", "pythonVersion": "3.11"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    packages = sorted(path.name for path in folder.iterdir() if path.is_dir())
    commands = [
        ["mypy", "--strict", "--config-file=", "--no-incremental", *packages],
        ["ruff", "check", "--isolated", "--ignore-noqa", "--ignore=I001,BLE001,TRY004", "--no-cache", "."],
        ["pyright", f"--pythonpath={sys.executable}", "-p", "pyrightconfig.json"],
    ]  # fmt: skip
    for command in commands if is_whole else commands[:1]:
        program = str(Path(sys.executable).with_name(command[0]))
        found = subprocess.run(
            [program, *command[1:]], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]


@pytest.mark.timeout(600)
def test_clients_of_the_sandboxes(tmp_path: Path) -> None:
    for name, (application, settings) in SANDBOXES.items():
        program = str(Path(sys.executable).with_name("chanx"))
        command = [
            program,
            "generate-client",
            "-s",
            application,
            "-o",
            str(tmp_path / f"{name}_client"),
        ]
        environment = {**os.environ, **settings}
        folder = ROOT / "sandboxes" / name
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    check(tmp_path, is_whole=True)


@pytest.mark.timeout(1800)
def test_clients_of_random_documents(tmp_path: Path) -> None:
    for seed in range(DOCUMENTS):
        for name, text in python_files(read_client(Documents(seed).document())).items():
            path = tmp_path / f"client_{seed}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    clients = [path.relative_to(tmp_path).parent for path in tmp_path.glob("*/*/client.py")]
    (tmp_path / "imports.py").write_text(
        "".join(f"import {'.'.join(client.parts)}\n" for client in sorted(clients)),
        encoding="utf-8",
    )
    subprocess.run([sys.executable, "imports.py"], cwd=tmp_path, check=True)
    check(tmp_path, is_whole=False)
