"""Beside the single package `chanx`, whichever module is imported first refuses to run."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# One interpreter for all modules: each starts without any module of ours that the one before has loaded.
IMPORT_EACH_FIRST = """
import importlib, json, sys

said = {}
for name in sys.argv[1:]:
    for loaded in [loaded for loaded in sys.modules if loaded.split(".")[0] == "chanx"]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except ImportError as error:
        said[name] = str(error)
    else:
        said[name] = "imported"
print(json.dumps(said))
"""


def module_names() -> list[str]:
    """Return every module of every package, private ones included."""
    sources = ROOT.glob("packages/*/src")
    found = [path.relative_to(src).with_suffix("") for src in sources for path in src.rglob("*.py")]
    return [".".join(path.parts).removesuffix(".__init__") for path in found]


def test_every_module_refuses_the_single_package(tmp_path: Path) -> None:
    info = tmp_path / "chanx-2.13.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: chanx\nVersion: 2.13.0\n")
    names = module_names()

    command = [sys.executable, "-c", IMPORT_EACH_FIRST, *names]
    environment = {"PYTHONPATH": str(tmp_path)}
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    said: dict[str, str] = json.loads(answer.stdout)

    refusal = "The single package 'chanx' 2.13.0 is installed together with chanx-core"
    assert len(said) == len(names) > 100
    assert {name: text for name, text in said.items() if not text.startswith(refusal)} == {}
