"""The modules of .ci are programs and no package: their folder is put where they can be imported from."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels, built as they are for publishing."""
    place = tmp_path_factory.mktemp("dist")
    command = ["uv", "build", "--all-packages", "--wheel", "--quiet", f"--out-dir={place}"]
    subprocess.run(command, cwd=ROOT, check=True)
    return place
