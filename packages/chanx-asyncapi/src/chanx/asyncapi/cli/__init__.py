"""The command line: `chanx`, installed by the extra `cli`."""

import sys
from importlib.util import find_spec

__all__ = ["main"]

_NEEDED = ("click", "jsonschema")


def main() -> None:
    """Run `chanx`; without the extra `cli`, say how to get it and exit with 2."""
    if any(find_spec(name) is None for name in _NEEDED):
        sys.stderr.write('The command line needs an extra: pip install "chanx-asyncapi[cli]"\n')
        sys.exit(2)
    from chanx.asyncapi.cli._commands import chanx

    chanx()
