"""Prints the seconds of CPU that it takes to import some modules, once others are there.

Arguments: the modules that are there already, a dash, the modules to measure. `django` means a configured one.
"""

import sys
import time
from importlib import import_module

__all__: list[str] = []


def main() -> None:
    """Import what the arguments say."""
    middle = sys.argv.index("-")
    for name in sys.argv[1:middle]:
        present(name)
    began = time.process_time()
    for name in sys.argv[middle + 1 :]:
        import_module(name)
    sys.stdout.write(f"{time.process_time() - began}\n")


def present(name: str) -> None:
    """Import one module of what is not measured."""
    if name == "django":
        import_module("django_settings").use({})
    else:
        import_module(name)


if __name__ == "__main__":
    main()
