"""Import the given modules, or what all installed packages of ours own; fail unless they are from this environment."""

import importlib
import sys
from pathlib import Path

import chanx

assert chanx.__file__ is None, f"chanx is a namespace, yet it has the file {chanx.__file__}"
portions = [Path(portion) for portion in chanx.__path__]
assert all(portion.is_relative_to(sys.prefix) for portion in portions), portions
marked = (
    path.parent.relative_to(portion.parent)
    for portion in portions
    for path in portion.rglob("py.typed")
)
for name in sys.argv[1:] or sorted(".".join(path.parts) for path in marked):
    importlib.import_module(name)
    print("imported", name)
