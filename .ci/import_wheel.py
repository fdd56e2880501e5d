"""Import the given modules; fail unless they come from packages installed in this environment."""

import importlib
import sys
from pathlib import Path

import chanx

assert chanx.__file__ is None, f"chanx is a namespace, yet it has the file {chanx.__file__}"
portions = [Path(portion) for portion in chanx.__path__]
assert all(portion.is_relative_to(sys.prefix) for portion in portions), portions
for name in sys.argv[1:]:
    importlib.import_module(name)
    print("imported", name)
